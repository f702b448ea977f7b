"""Sweeps on disk: many short trainings over ranges of settings, chosen by Optuna, each an ordinary run.

A sweep is a folder: ``sweep.json`` is its configuration, ``study.jsonl`` Optuna's own journal of its trials, which its
tools open too (``study.db`` in older sweeps). Trials are compared by their validation accuracy; the test images are for
the end. ``search`` runs the trials.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from math import inf
from pathlib import Path
from typing import Literal

import optuna
from optuna.trial import FrozenTrial, TrialState
from pydantic import ValidationError

from cnnlab.files import is_locked, lock, plain_json, read_limited
from cnnlab.jobs.sweep_config import SweepConfig, disk_bytes, validated
from cnnlab.jobs.sweep_storage import create_study, cut_torn_line, load_study, storage_name
from cnnlab.people.belonging import belonging_of, give
from cnnlab.runs.ancestry import inherited
from cnnlab.runs.disk import allowed_bytes, check_room
from cnnlab.runs.run import MAX_READ, RunError, write_aside, writing
from cnnlab.runs.store import RunStore

_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")
_ENDED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)

Status = Literal["running", "finished", "interrupted"]

# Attributes of trials.
RUN = "run"  # the id of its run
SECONDS = "seconds"  # of its training
PRUNED_AFTER = "pruned_after"  # epochs
ERROR = "error"
_AGAIN = "again"  # of a trial in an older sweep: the number of the one that it repeats


class SweepError(RunError):
    """A sweep that is missing, cannot be read or cannot continue; the message says why."""


class Sweep:
    """The folder of one sweep."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def title(self) -> str:
        """The time of its start, in this machine's time zone, and the settings it searches. Raises as ``config``."""
        begun = datetime.strptime(self.id[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC).astimezone()
        return f"{begun:%d %b %H:%M:%S}: {', '.join(self.config.space).replace('_', ' ')}"

    @property
    def owner(self) -> str:
        """The id of whose it is, and its trials; empty: nobody's."""
        return belonging_of(self.folder).owner

    @property
    def runs(self) -> RunStore:
        """The store of its trials' runs; new ones are its owner's."""
        return RunStore(self.folder.parents[1], self.owner)

    @property
    def is_shown(self) -> bool:
        """Whether the class may see it; its trials are runs, which are shown one by one."""
        return belonging_of(self.folder).is_shown

    @property
    def is_open(self) -> bool:
        """Whether visitors may ask it: a sweep answers nobody."""
        return False

    @property
    def config(self) -> SweepConfig:
        """The configuration. Raises SweepError where the file is missing or invalid."""
        try:
            content = read_limited(self.folder / "sweep.json", MAX_READ["config.json"])
            return SweepConfig.model_validate_json(plain_json(content))
        except (OSError, ValidationError) as error:
            raise SweepError(f"sweep {self.id}: its sweep.json is missing or damaged") from error

    @cached_property
    def study(self) -> optuna.Study:
        """The Optuna study, for Optuna's own plots. Raises SweepError where its storage is damaged."""
        pruner = self.config.pruner
        try:
            return load_study(self.folder, pruner)
        except Exception as error:  # of JSON, of SQLAlchemy, or Optuna's own
            raise self._unreadable(error) from error

    @property
    def trials(self) -> list[FrozenTrial]:
        """All trials so far, in the order of their start. Raises as ``study``."""
        study = self.study
        try:
            return study.get_trials(deepcopy=False)
        except Exception as error:  # the same, of what was written since
            raise self._unreadable(error) from error

    @property
    def ended(self) -> int:
        """The number of configured trials that have ended."""
        return len(self._through())

    @property
    def seconds(self) -> float:
        """The seconds of training that its ended trials took together."""
        return sum(seconds_of(trial) for trial in self._through())

    @property
    def status(self) -> Status:
        if is_locked(self.folder):
            return "running"
        return "interrupted" if self.has_room else "finished"

    @property
    def has_room(self) -> bool:
        """Whether a trial was interrupted, or trials and minutes are left."""
        return any(trial.state == TrialState.RUNNING for trial in self.trials) or self.may_grow()

    def may_grow(self, running: int = 0, seconds: float = 0.0) -> bool:
        """Tell whether trials and minutes are left beside those ``running``, which took ``seconds`` so far."""
        config = self.config
        is_in_time = config.minutes is None or self.seconds + seconds < 60 * config.minutes
        return self.ended + running < config.trials and is_in_time

    def extend(self, trials: int) -> None:
        """Add ``trials`` more, without a limit of minutes.

        Raises ConfigError where they are too many, SweepError where another process runs the sweep.
        """
        with self.held():
            config = validated(self.config.model_dump() | {"trials": self.ended + trials, "minutes": None})
            write_aside(self.folder / "sweep.json", config.model_dump_json(indent=1))

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the sweep's lock, which is needed to write. Raises SweepError where another process holds it."""
        with lock(self.folder, SweepError(f"sweep {self.id} is already running elsewhere")):
            with writing(self.folder):
                cut_torn_line(self.folder)
            yield

    def _unreadable(self, error: Exception) -> SweepError:
        reason = " ".join(str(error).split())[:120]
        return SweepError(f"sweep {self.id}: its {storage_name(self.folder)} cannot be read ({reason})")

    def _through(self) -> list[FrozenTrial]:
        """Return the trials that ended by themselves; in older sweeps those that a kill ended were repeated."""
        again = {trial.user_attrs.get(_AGAIN) for trial in self.trials}
        return [trial for trial in self.trials if trial.state in _ENDED and trial.number not in again]


class SweepStore:
    """The sweeps beside a folder of runs; new ones are the ``owner``'s, if there is one."""

    def __init__(self, runs: Path, owner: str = "") -> None:
        self.runs = RunStore(runs, owner)
        self.folder = runs / ".sweeps"

    def create(self, config: SweepConfig) -> Sweep:
        """Create the folder of a new sweep, without trials. Raises SweepError where it cannot be created.

        Trials that branch off a run have its split: raises as ``inherited``. Raises RoomError where all runs together
        would be too large with its trials.
        """
        if allowed_bytes() < inf:
            check_room(self.runs.folder, disk_bytes(config))
        config = config.model_copy(update={"base": inherited(config.base, self.runs)})
        sweep = Sweep(self.folder / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}")
        try:
            sweep.folder.mkdir(parents=True)
            give(sweep.folder, self.runs.owner)
            create_study(sweep.folder)  # before others see the sweep, which its configuration makes one
        except OSError as error:
            reason = error.strerror or str(error)
            raise SweepError(f"no sweep can be kept in {self.folder} ({reason}): choose another folder") from error
        write_aside(sweep.folder / "sweep.json", config.model_dump_json(indent=1))
        return sweep

    def open(self, sweep_id: str) -> Sweep:
        """Return a sweep by its id. Raises SweepError where there is none."""
        if not _ID.fullmatch(sweep_id) or not (self.folder / sweep_id / "sweep.json").is_file():
            raise SweepError(f"there is no sweep {sweep_id[:100]!r} in {self.folder}")
        return Sweep(self.folder / sweep_id)

    def all(self) -> list[Sweep]:
        """Return the readable sweeps, the newest first."""
        folders = sorted(self.folder.iterdir(), reverse=True) if self.folder.is_dir() else []
        return [Sweep(folder) for folder in folders if _ID.fullmatch(folder.name) and _is_readable(Sweep(folder))]


def _is_readable(sweep: Sweep) -> bool:
    try:
        return bool(sweep.config)
    except SweepError:
        return False


def seconds_of(trial: FrozenTrial) -> float:
    """Return the seconds that a trial's training took; in older sweeps with what it waited, 0 where unknown."""
    taken = trial.duration.total_seconds() if trial.duration else 0.0
    return float(trial.user_attrs.get(SECONDS, taken))
