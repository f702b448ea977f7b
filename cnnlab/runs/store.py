"""Runs on disk: a folder of open formats each, readable after a kill at any moment.

``config.json`` and ``summary.json`` are written aside and renamed, ``history.jsonl`` grows by whole lines,
``weights/epoch-NNN.safetensors`` holds the weights after each epoch (000: before training),
``checkpoint.safetensors`` what else a training needs to go on after the last. ``about.json``, where there is one, is
what its owner says of it, ``looks.jsonl`` has a line for each look at its test images, ``heldout.safetensors`` what
networks say to training images they did not see. A lock file is held while a process trains the run; a run that says
"running" with nobody holding it was interrupted. Deleted runs lie in ``.deleted`` until they are restored or old.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError, field_validator, model_validator
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from cnnlab.errors import CnnLabError
from cnnlab.files import (
    DELETED_ARE_KEPT,
    atomic_file,
    atomic_write,
    exclusive,
    is_locked,
    is_older,
    lock,
    plain_json,
    read_limited,
    regular,
)
from cnnlab.training.checkpoint import Checkpoint, CheckpointError, read_checkpoint, read_progress, write_checkpoint
from cnnlab.training.config import MAX_EPOCHS, RUN_ID, Extension, RunConfig
from cnnlab.training.history import History

MAX_READ = {  # bytes
    "config.json": 16_000_000,  # 500 lessons of 600 points each: 15 MB
    "summary.json": 1_000_000,  # two numbers a class
    "about.json": 100_000,  # a title, tags, a note
    "looks.jsonl": 1_000_000,
}
MAX_LINE = 100_000  # characters of the history's: an epoch of 47 classes has 1,500
MAX_THREADS = 1024
MAX_LOOKS = 10_000  # counted
MAX_ANCESTORS = 50  # that learned from different images

_WEIGHTS = re.compile(r"epoch-([0-9]{3}|1000)\.safetensors")
_Model = TypeVar("_Model", bound=BaseModel)

Status = Literal["running", "finished", "stopped", "failed", "interrupted"]
Channels = Annotated[int, Field(ge=1, le=64)]
Side = Annotated[int, Field(ge=1, le=1024)]  # pixels
Count = Annotated[int, Field(ge=0, le=10**12)]
Fraction = Annotated[float, Field(ge=0, le=1)]


class RunError(CnnLabError):
    """A run that is not there or cannot be read; the message says which and why."""


class Learned(BaseModel):
    """The training images that a run learned from."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    dataset: Annotated[str, Field(max_length=60)]
    validation_fraction: Annotated[float, Field(ge=0.01, le=0.5)]
    held_out_by: Annotated[int, Field(ge=0, le=2**32 - 1)]
    train_fraction: Annotated[float, Field(ge=0.01, le=1)]

    @classmethod
    def of(cls, config: RunConfig) -> Learned:
        """Read what a config chooses."""
        return cls.model_validate({name: getattr(config, name) for name in cls.model_fields})


class Summary(BaseModel):
    """What a run is and came to, beside its config. Accuracies are fractions; None until known."""

    model_config = ConfigDict(extra="ignore")

    id: Annotated[str, Field(pattern=f"^{RUN_ID.pattern}$")]
    created: datetime
    status: Status = "running"
    classes: tuple[str, ...] = ()
    shape: tuple[Channels, Side, Side] = (1, 1, 1)  # (C, H, W) of its images
    mean: tuple[FiniteFloat, ...] = ()  # what pixels in 0…1 were standardised by, per channel
    std: tuple[Annotated[FiniteFloat, Field(gt=0)], ...] = ()
    parameters: Count = 0
    device: str = ""
    precision: str = ""
    threads: Annotated[int, Field(ge=0, le=MAX_THREADS)] = 0
    epoch: Annotated[int, Field(ge=0, le=MAX_EPOCHS)] = 0  # whose weights were judged
    train_accuracy: Fraction | None = None  # in evaluation mode on plain training images
    validation_accuracy: Fraction | None = None
    test_accuracy: Fraction | None = None
    test_loss: FiniteFloat | None = None
    per_class: dict[str, Fraction] = {}  # test accuracy of each class
    support: dict[str, Count] = {}  # test images of each class
    seconds: FiniteFloat | None = None  # of training, validation included
    images_per_second: FiniteFloat | None = None
    error: str = ""
    extensions: tuple[Extension, ...] = ()  # epochs beyond its config's
    rates_set: Count = 0  # times that somebody set the learning rate while it trained
    # What the runs that it comes from learned, where these may be gone.
    ancestors: Annotated[tuple[Learned, ...], Field(max_length=MAX_ANCESTORS)] = ()

    @model_validator(mode="after")
    def _fits_together(self) -> Summary:
        channels = self.shape[0] if self.classes else 0
        if (len(self.mean), len(self.std)) != (channels, channels):
            raise ValueError("mean and std have other channels than the images")
        if any(names and names.keys() != set(self.classes) for names in (self.per_class, self.support)):
            raise ValueError("accuracies are of other classes")
        return self


class About(BaseModel):
    """What its owner says of a run."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    title: Annotated[str, Field(max_length=100)] = ""  # empty: its network, data set and time
    tags: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=40)], ...], Field(max_length=20)] = ()
    note: Annotated[str, Field(max_length=5000)] = ""
    pinned: bool = False  # listed first

    @field_validator("tags")
    @classmethod
    def _each_once(cls, tags: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(tags))


class Run:
    """One run's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def config(self) -> RunConfig:
        """Raises RunError where the file is missing or invalid, as ``summary`` does."""
        return self._read("config.json", RunConfig)

    @property
    def summary(self) -> Summary:
        summary = self._read("summary.json", Summary)
        if summary.status == "running" and not is_locked(self.folder):
            return summary.model_copy(update={"status": "interrupted"})
        return summary

    @property
    def about(self) -> About:
        """What its owner says of it; nothing where that is missing or damaged, for the run itself is whole."""
        try:
            return self._read("about.json", About)
        except RunError:
            return About()

    @property
    def looks(self) -> int:
        """How often its test images were looked at; 0 where that was not counted yet."""
        try:
            return read_limited(self.folder / "looks.jsonl", MAX_READ["looks.jsonl"]).count(b"\n")
        except OSError:
            return 0

    def count_look(self, epoch: int) -> None:
        """Note that its test images were looked at with the weights of ``epoch``, as far as that can be written."""
        look = json.dumps({"epoch": epoch, "at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"})
        with suppress(OSError):
            if self.looks < MAX_LOOKS:
                with (self.folder / "looks.jsonl").open("a", encoding="utf-8") as file:
                    file.write(f"{look}\n")  # at once, so that two processes do not mix their lines

    @property
    def title(self) -> str:
        return title_of(self.config, self.summary, self.about)

    def history(self) -> History:
        with self._history_lines() as lines:
            return History.from_lines(lines)

    def epochs(self) -> list[int]:
        """Epochs whose weights are on disk, ascending; 0 is before training."""
        files = (_WEIGHTS.fullmatch(path.name) for path in (self.folder / "weights").glob("epoch-*.safetensors"))
        return sorted(int(file[1]) for file in files if file)

    @property
    def judged_epoch(self) -> int:
        """The one that was judged, else the last on disk. Raises RunError where there are no weights."""
        saved = self.epochs()
        if not saved:
            raise RunError(f"run {self.id} has no weights yet")
        return self.summary.epoch or saved[-1]

    def weights(self, epoch: int) -> dict[str, Tensor]:
        """The state dict after ``epoch``, on the CPU. Raises RunError where it is missing or damaged."""
        try:
            return load_file(regular(self._weights_path(epoch)))
        except (OSError, SafetensorError) as error:
            raise RunError(f"run {self.id}: no readable weights of epoch {epoch} ({error})") from error

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the run's lock: it is being trained. Raises RunError where another process does."""
        with ExitStack() as stack:
            with _writing(self.folder):
                stack.enter_context(lock(self.folder, RunError(f"run {self.id} is being trained elsewhere")))
            yield

    def write_summary(self, summary: Summary) -> None:
        write_aside(self.folder / "summary.json", summary.model_dump_json(indent=1))

    def write_about(self, about: About) -> None:
        write_aside(self.folder / "about.json", about.model_dump_json(indent=1))

    def change_about(self, **fields: object) -> None:
        """Set these fields of what its owner says; the others stay as somebody else may set them meanwhile.

        Raises ValidationError for a field that is wrong.
        """
        with _writing(self.folder), exclusive(self.folder):
            self.write_about(About.model_validate(dict(self.about) | fields))

    def append_history(self, lines: list[str]) -> None:
        with _writing(self.folder), (self.folder / "history.jsonl").open("a", encoding="utf-8") as file:
            file.write("".join(f"{line}\n" for line in lines))
            file.flush()
            os.fsync(file.fileno())

    def save_checkpoint(self, checkpoint: Checkpoint) -> None:
        """In place of an earlier one."""
        with _aside(self._checkpoint_path) as aside:
            write_checkpoint(aside, checkpoint)

    def checkpoint(self) -> Checkpoint | None:
        """The last; None before the first epoch was whole. Raises RunError where it is missing or damaged."""
        if not self._checkpoint_path.exists() and not self.history().epochs:
            return None
        try:
            return read_checkpoint(regular(self._checkpoint_path))
        except (OSError, CheckpointError) as error:
            told = "no readable checkpoint" if isinstance(error, OSError) else error
            raise RunError(f"run {self.id}: {told}: branch off its last epoch instead") from error

    @property
    def whole_epochs(self) -> int:
        """How many were trained; a kill may have kept the last one's lines out of the history."""
        told = len(self.history().epochs)
        try:
            return max(told, read_progress(regular(self._checkpoint_path)).epoch)
        except (OSError, CheckpointError):  # who goes on is told what is wrong with it
            return told

    def rewind(self, epoch: int, last: Sequence[str] = ()) -> None:
        """Forget all after ``epoch``; ``last`` are its lines of the history, which a kill may have kept out of it."""
        lines = self._lines_until(epoch) or [*self._lines_until(epoch - 1), *last]
        write_aside(self.folder / "history.jsonl", "".join(f"{line}\n" for line in lines))
        for later in self.epochs():
            if later > epoch:
                self._weights_path(later).unlink()

    def _lines_until(self, epoch: int) -> list[str]:
        """The history's lines up to the end of ``epoch``; none where that is not in it."""
        lines = []
        with self._history_lines() as whole:
            for line in whole:
                lines.append(line.rstrip("\n"))
                if any(record["epoch"] == epoch for record in History.from_lines([line]).epochs):
                    return lines
        return []

    def save_weights(self, epoch: int, weights: Mapping[str, Tensor]) -> None:
        path = self._weights_path(epoch)
        with _writing(self.folder):
            path.parent.mkdir(exist_ok=True)
        _save(path, weights)

    def save_held_out(self, tensors: Mapping[str, Tensor]) -> None:
        _save(self._held_out_path, tensors)

    def held_out(self) -> dict[str, Tensor] | None:
        """What ``save_held_out`` kept; None where that is nothing or damaged, for it can be made again."""
        try:
            return load_file(self._held_out_path)
        except (OSError, SafetensorError):
            return None

    def _history_lines(self) -> AbstractContextManager[Iterable[str]]:
        path = self.folder / "history.jsonl"
        return _lines(path) if path.is_file() else nullcontext(())

    @property
    def _checkpoint_path(self) -> Path:
        return self.folder / "checkpoint.safetensors"

    @property
    def _held_out_path(self) -> Path:
        return self.folder / "heldout.safetensors"

    def _weights_path(self, epoch: int) -> Path:
        return self.folder / "weights" / f"epoch-{epoch:03d}.safetensors"

    def _read(self, name: str, model: type[_Model]) -> _Model:
        try:
            return model.model_validate_json(plain_json(read_limited(self.folder / name, MAX_READ[name])))
        except (OSError, ValidationError) as error:
            reason = "missing" if isinstance(error, FileNotFoundError) else "damaged"
            raise RunError(f"run {self.id}: its {name} is {reason}") from error


class RunStore:
    """All runs of a folder, which is made when the first run is."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def create(self, config: RunConfig) -> Run:
        """A new run's folder with its config; its id cannot be guessed, and ids are in the order of their runs.

        Raises RunError where it cannot be written.
        """
        created = datetime.now(UTC)
        run_id = f"{created:%Y%m%d-%H%M%S-%f}-{secrets.token_hex(6)}"
        run = Run(self.folder / run_id)
        with _writing(self.folder):
            run.folder.mkdir(parents=True)
        indent = None if config.lessons else 1  # which are long lists of numbers
        try:
            write_aside(run.folder / "config.json", config.model_dump_json(indent=indent))
            run.write_summary(Summary(id=run_id, created=created))
        except RunError:
            shutil.rmtree(run.folder, ignore_errors=True)
            raise
        return run

    def open(self, run_id: str) -> Run:
        """A run by its id. Raises RunError where there is none."""
        if not RUN_ID.fullmatch(run_id) or not (self.folder / run_id / "config.json").is_file():
            raise RunError(f"there is no run {run_id[:100]!r} in {self.folder}")
        return Run(self.folder / run_id)

    def origin(self, run: Run) -> Run | None:
        """The run that ``run`` descends from by its parents, itself where it has none; None where one is not here."""
        *_, first = self.lineage(run)
        try:
            return None if first.config.parent else first
        except RunError:
            return None

    def lineage(self, run: Run) -> Iterator[Run]:
        """``run``, its parent, the parent's parent and so on, as far as they are here and readable."""
        seen: set[str] = set()
        with suppress(RunError):
            while run.id not in seen:  # only a forged one is its own ancestor
                seen.add(run.id)
                yield run
                if not (parent := run.config.parent):
                    return
                run = self.open(parent.run)

    def all(self) -> list[Run]:
        """Readable runs, the newest first."""
        return [run for run in runs_in(self.folder) if _is_readable(run)]

    def delete(self, run_id: str) -> None:
        """Put a run away, for ``restore`` to bring back; those put away long ago go for good.

        Raises RunError where there is none or it is being trained.
        """
        with self.open(run_id).held(), _writing(self.folder):  # nobody trains it, nor begins to while it moves
            self._deleted.mkdir(exist_ok=True)
            shutil.rmtree(self._deleted / run_id, ignore_errors=True)  # an earlier copy, of a run that came back
            os.utime(self.folder / run_id)
            (self.folder / run_id).rename(self._deleted / run_id)
        for run in runs_in(self._deleted):
            with suppress(FileNotFoundError):  # it came back, or went, meanwhile
                if is_older(run.folder, DELETED_ARE_KEPT):
                    shutil.rmtree(run.folder)

    def restore(self, run_id: str) -> None:
        """Bring a deleted run back. Raises RunError where there is none, or somebody else does at the same time."""
        if run_id not in [run.id for run in self.deleted()]:
            raise RunError(f"there is no deleted run {run_id[:100]!r}: it may be gone for good, or be back")
        with _writing(self.folder):
            (self._deleted / run_id).rename(self.folder / run_id)

    def deleted(self) -> list[Run]:
        """Readable runs that were put away and did not come back on another way, the newest first."""
        away = [run for run in runs_in(self._deleted) if not (self.folder / run.id).exists()]
        return [run for run in away if _is_readable(run)]

    @property
    def _deleted(self) -> Path:
        return self.folder / ".deleted"


def runs_in(folder: Path) -> list[Run]:
    """A run for each folder with a run's name, read or not, the newest first."""
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if RUN_ID.fullmatch(entry.name) and entry.is_dir()]
    return [Run(folder / name) for name in sorted(names, reverse=True)]


def title_of(config: RunConfig, summary: Summary, about: About) -> str:
    """What a run is called: as its owner said, else by its network, data set, what made it of another, and time."""
    what = f"{config.architecture.title} on {config.dataset}"
    return about.title or ", ".join(filter(None, (what, config.origin, started_at(summary))))


def how_tested(summary: Summary, looks: int) -> str:
    """How a run was tested, in words, and how often its test images were looked at afterwards."""
    images = f"{sum(summary.support.values()):,} images"
    if looks == 1:
        return f"Tested once, after training, on {images}"
    again = "Tested again after more training" if summary.extensions else "Tested after training"
    since = f"; looked at {looks} times in all" if looks else ""
    return f"{again}, on {images}{since}"


def started_at(summary: Summary) -> str:
    """When a run was begun, in this machine's time zone."""
    return f"{summary.created.astimezone():%d %b %H:%M:%S}"


def runs_folder() -> Path:
    """Where runs lie: the environment's CNNLAB_RUNS, else ``runs/`` beside the app."""
    return Path(os.environ.get("CNNLAB_RUNS") or Path(__file__).parents[2] / "runs").expanduser()


def _is_readable(run: Run) -> bool:
    try:
        return bool(run.config and run.summary)
    except RunError:
        return False


def _save(path: Path, tensors: Mapping[str, Tensor]) -> None:
    with _aside(path) as aside:
        save_file({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, aside)


def write_aside(path: Path, text: str) -> None:
    """Write aside, then rename: a reader sees the old file or the new one, never half of one."""
    with _writing(path.parent):
        atomic_write(path, text)


@contextmanager
def _lines(path: Path) -> Iterator[Iterable[str]]:
    """A history's; one that is too long to be a record comes in pieces, which are none either."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        yield iter(partial(file.readline, MAX_LINE), "")


@contextmanager
def _aside(path: Path) -> Iterator[Path]:
    """``atomic_file``, its errors as RunError."""
    with _writing(path.parent), atomic_file(path) as aside:
        yield aside


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Raises RunError, with what to do, where ``folder`` cannot be written."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        what = error.strerror if isinstance(error, OSError) else str(error)
        raise RunError(
            f"{folder} cannot be written ({what}): make room or allow it there, "
            "or have runs kept elsewhere with CNNLAB_RUNS"
        ) from error
