"""Runs on disk: a folder of open formats each, readable after a kill at any moment.

``config.json`` and ``summary.json`` are replaced atomically, ``history.jsonl`` grows by whole lines,
``weights/epoch-NNN.safetensors`` holds the weights after an epoch (000: before training) of the layers that learn;
``kept_epochs`` decides which stay. Those of layers that do not learn lie beside the runs in ``.pretrained``, once for
all. ``checkpoint.safetensors`` holds the further state to continue from after the last; with a folder ``checkpoints``,
that after each epoch is kept there, and all weights are kept. The optional ``about.json`` holds title, tags and note of
the user, ``belongs.json`` whose the run is where there is a class, ``looks.jsonl`` has a line for each evaluation on
its test images, ``resources.jsonl`` one for each second of training (``resource_log``), ``heldout.safetensors`` holds
networks' outputs for training images that they did not see. A process that trains the run holds a lock file; a run that
says "running" while nobody holds its lock was interrupted. Deleted runs lie in ``.deleted`` until they are restored,
deleted for good, or expire. ``.journal`` names the runs whose summary or notes were written, so that a list of
thousands need not look at each.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from cnnlab.errors import CnnLabError
from cnnlab.files import (
    atomic_file,
    atomic_write,
    bytes_below,
    exclusive,
    is_locked,
    lock,
    plain_json,
    read_limited,
    read_parsed,
    regular,
)
from cnnlab.people.belonging import Belonging, belonging_of, open_up, show
from cnnlab.pretrained.weights import PretrainedError, WeightStore
from cnnlab.runs.example import example_id
from cnnlab.runs.journal import note
from cnnlab.runs.kept_checkpoints import KeptCheckpoints
from cnnlab.runs.summary import About, Summary, title_of
from cnnlab.training.checkpoint import Checkpoint, CheckpointError, read_checkpoint, read_progress, write_checkpoint
from cnnlab.training.config import RunConfig
from cnnlab.training.history import History

MAX_READ = {  # bytes
    "config.json": 16_000_000,  # 500 drawings of 600 points each: 15 MB
    "summary.json": 1_000_000,  # two numbers a class
    "about.json": 100_000,  # a title, tags, a note
    "looks.jsonl": 1_000_000,
    "resources.jsonl": 4_000_000,  # 14,400 lines of up to 220 bytes
    "history.jsonl": 20_000_000,  # 1,000 epochs of 50 points and 47 classes: 10 MB
}
MAX_LINE = 100_000  # of a line of the history: an epoch of 47 classes has 1,500
MAX_LOOKS = 10_000  # that are counted, at most
_WEIGHTS = re.compile(r"epoch-([0-9]{3}|1000)\.safetensors")
_Model = TypeVar("_Model", bound=BaseModel)


class RunError(CnnLabError):
    """A run that is missing or cannot be read; the message says which and why."""


class Run:
    """The folder of one run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.checkpoints = KeptCheckpoints(folder / "checkpoints")

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def config(self) -> RunConfig:
        """The run's settings. Raises RunError where the file is missing or invalid, as ``summary`` does."""
        return self._read("config.json", RunConfig)

    @property
    def summary(self) -> Summary:
        summary = self._read("summary.json", Summary)
        if summary.status == "running" and not is_locked(self.folder):
            return summary.model_copy(update={"status": "interrupted"})
        return summary

    @property
    def about(self) -> About:
        """The user's notes on the run; empty where the file is missing or damaged, because the run itself is intact."""
        try:
            return self._read("about.json", About)
        except RunError:
            return About()

    @property
    def belonging(self) -> Belonging:
        """Whose it is, and whether the class may see it: the example always."""
        own = belonging_of(self.folder)
        return own.model_copy(update={"is_shown": True}) if self.id == example_id() else own

    @property
    def owner(self) -> str:
        return self.belonging.owner

    @property
    def is_shown(self) -> bool:
        return self.belonging.is_shown

    @property
    def is_open(self) -> bool:
        return self.belonging.is_open

    def open_up(self, is_open: bool) -> None:
        """Open it to visitors, who may ask it for predictions, or close it again."""
        with writing(self.folder), exclusive(self.folder):
            open_up(self.folder, is_open)

    def show(self, is_shown: bool) -> None:
        """Show it to the class, or hide it again."""
        with writing(self.folder), exclusive(self.folder):
            show(self.folder, is_shown)
        note(self.folder.parent, self.id)

    @property
    def looks(self) -> int:
        """The number of evaluations on its test images; 0 where they were not counted yet."""
        try:
            return read_limited(self.folder / "looks.jsonl", MAX_READ["looks.jsonl"]).count(b"\n")
        except OSError:
            return 0

    def count_look(self, epoch: int) -> None:
        """Record an evaluation on its test images with the weights of ``epoch``; a failure to write is ignored."""
        look = json.dumps({"epoch": epoch, "at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"})
        with suppress(OSError):
            if self.looks < MAX_LOOKS:
                with (self.folder / "looks.jsonl").open("a", encoding="utf-8") as file:
                    file.write(f"{look}\n")  # in one write, so that two processes do not mix their lines

    @property
    def disk_bytes(self) -> int:
        """The bytes of its files now; 0 where there are none."""
        return bytes_below(self.folder)

    @property
    def title(self) -> str:
        return title_of(self.config, self.summary, self.about)

    def history(self) -> History:
        with self._history_lines() as lines:
            return History.from_lines(lines)

    def epochs(self) -> list[int]:
        """Return the epochs whose weights are on disk, ascending; 0 is before training."""
        files = (_WEIGHTS.fullmatch(path.name) for path in (self.folder / "weights").glob("epoch-*.safetensors"))
        return sorted(int(file[1]) for file in files if file)

    @property
    def judged_epoch(self) -> int:
        """The epoch that was tested, else the last on disk. Raises RunError where there are no weights."""
        saved = self.epochs()
        if not saved:
            raise RunError(f"run {self.id} has no weights yet")
        return self.summary.epoch or saved[-1]

    def weights(self, epoch: int) -> dict[str, Tensor]:
        """Return the state dict after ``epoch``, on the CPU. Raises RunError where it is missing or damaged."""
        if (saved := self.epochs()) and epoch not in saved:
            raise RunError(f"run {self.id} has no weights of epoch {epoch}, but of {_around(epoch, saved)}")
        try:
            return {**self.frozen_weights, **load_file(regular(self._weights_path(epoch)))}
        except (OSError, SafetensorError) as error:
            raise RunError(f"run {self.id}: no readable weights of epoch {epoch} ({error})") from error

    @property
    def frozen_weights(self) -> dict[str, Tensor]:
        """The weights of the layers that do not learn. Raises RunError where they are missing or damaged."""
        digest = self.summary.frozen
        try:
            return self.frozen_store.get(digest) if digest else {}
        except PretrainedError as error:
            raise RunError(f"run {self.id}: {error}") from error

    def save_frozen(self, weights: Mapping[str, Tensor]) -> str:
        """Write the weights of layers that do not learn, once for all runs; return their digest, "" for none."""
        with writing(self.folder):
            return self.frozen_store.put(weights) if weights else ""

    @property
    def frozen_store(self) -> WeightStore:
        """The weights that the runs beside this one share."""
        return frozen_store(self.folder.parent)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the run's lock while it is trained. Raises RunError where another process holds it."""
        with ExitStack() as stack:
            with writing(self.folder):
                stack.enter_context(lock(self.folder, RunError(f"run {self.id} is being trained elsewhere")))
            yield

    def write_summary(self, summary: Summary) -> None:
        self._write("summary.json", summary)

    def write_about(self, about: About) -> None:
        self._write("about.json", about)

    def change_about(self, **fields: object) -> None:
        """Set some fields of the user's notes; the others keep what is on disk, which may have changed meanwhile.

        Raises ValidationError for a field that is wrong.
        """
        with writing(self.folder), exclusive(self.folder):
            self.write_about(About.model_validate(dict(self.about) | fields))

    def append_history(self, lines: list[str]) -> None:
        with writing(self.folder), (self.folder / "history.jsonl").open("a", encoding="utf-8") as file:
            file.write("".join(f"{line}\n" for line in lines))
            file.flush()
            os.fsync(file.fileno())

    def save_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Write ``checkpoint`` in place of an earlier one; first among those of each epoch, where these are kept."""
        kept = [self.checkpoints.path(checkpoint.progress.epoch)] * self.checkpoints.are_kept
        for path in (*kept, self._checkpoint_path):
            with _aside(path) as aside:
                write_checkpoint(aside, checkpoint)

    def checkpoint(self) -> Checkpoint | None:
        """Return the last checkpoint; None before the first complete epoch.

        Raises RunError where it is missing or damaged.
        """
        if not self._checkpoint_path.exists() and not self.history().epochs:
            return None
        try:
            return read_checkpoint(regular(self._checkpoint_path))
        except (OSError, CheckpointError) as error:
            told = "no readable checkpoint" if isinstance(error, OSError) else error
            raise RunError(f"run {self.id}: {told}: branch off its last epoch instead") from error

    @property
    def whole_epochs(self) -> int:
        """The number of completed epochs; after a kill the history may lack the lines of the last one."""
        told = len(self.history().epochs)
        try:
            return max(told, read_progress(regular(self._checkpoint_path)).epoch)
        except (OSError, CheckpointError):  # continuing the run reports what is wrong with it
            return told

    def rewind(self, epoch: int, last: Sequence[str] = ()) -> None:
        """Delete everything after ``epoch``; ``last`` are its history lines, which a kill may have left unwritten."""
        lines = self._lines_until(epoch) or [*self._lines_until(epoch - 1), *last]
        write_aside(self.folder / "history.jsonl", "".join(f"{line}\n" for line in lines))
        for later in self.epochs():
            if later > epoch:
                self._weights_path(later).unlink()
        self.checkpoints.delete_after(epoch)

    def delete_weights(self, epochs: Iterable[int]) -> None:
        """Delete the weights of ``epochs``; those that a reader holds on Windows stay until the next time."""
        for epoch in epochs:
            with suppress(OSError):
                self._weights_path(epoch).unlink()

    def _lines_until(self, epoch: int) -> list[str]:
        """Return the history's lines up to the end of ``epoch``; none where it is missing."""
        lines = []
        with self._history_lines() as whole:
            for line in whole:
                lines.append(line.rstrip("\n"))
                if any(record["epoch"] == epoch for record in History.from_lines([line]).epochs):
                    return lines
        return []

    def save_weights(self, epoch: int, weights: Mapping[str, Tensor]) -> None:
        path = self._weights_path(epoch)
        with writing(self.folder):
            path.parent.mkdir(exist_ok=True)
        _save(path, weights)

    def save_held_out(self, tensors: Mapping[str, Tensor]) -> None:
        _save(self._held_out_path, tensors)

    def held_out(self) -> dict[str, Tensor] | None:
        """Return the tensors that ``save_held_out`` wrote; None where they are missing or damaged."""
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

    def _write(self, name: str, model: BaseModel) -> None:
        write_aside(self.folder / name, model.model_dump_json(indent=1))
        note(self.folder.parent, self.id)

    def _read(self, name: str, model: type[_Model]) -> _Model:
        try:
            parsed: _Model = read_parsed(self.folder / name, MAX_READ[name], _parser(model))
        except (OSError, ValidationError) as error:
            reason = "missing" if isinstance(error, FileNotFoundError) else "damaged"
            raise RunError(f"run {self.id}: its {name} is {reason}") from error
        return parsed


@cache
def _parser(model: type[_Model]) -> Callable[[bytes], _Model]:
    return lambda content: model.model_validate_json(plain_json(content))


def _around(epoch: int, saved: Sequence[int]) -> str:
    """Name the saved epochs next to one that is not: "epochs 40 and 44"."""
    next_to = [*[one for one in saved if one < epoch][-1:], *[one for one in saved if one > epoch][:1]]
    return f"epoch{'s' * (len(next_to) > 1)} {' and '.join(map(str, next_to))}"


def frozen_store(runs: Path) -> WeightStore:
    """Return the weights of layers that do not learn, which all runs of a folder share."""
    return WeightStore(runs / ".pretrained")


def _save(path: Path, tensors: Mapping[str, Tensor]) -> None:
    with _aside(path) as aside:
        save_file({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, aside)


def write_aside(path: Path, text: str) -> None:
    """Write ``text`` to a temporary file, then rename it: a reader sees the old file or the new one, never a part."""
    with writing(path.parent):
        atomic_write(path, text)


@contextmanager
def _lines(path: Path) -> Iterator[Iterable[str]]:
    """Open a history for its lines; one too long for a record comes in pieces, which are no records either."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        yield iter(partial(file.readline, MAX_LINE), "")


@contextmanager
def _aside(path: Path) -> Iterator[Path]:
    """Open a file as ``atomic_file`` does, its errors as RunError."""
    with writing(path.parent), atomic_file(path) as aside:
        yield aside


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn an error of writing to ``folder`` into RunError, which says what to do."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        what = error.strerror if isinstance(error, OSError) else str(error)
        raise RunError(
            f"{folder} cannot be written ({what}): make room or allow it there, "
            "or have runs kept elsewhere with CNNLAB_RUNS"
        ) from error
