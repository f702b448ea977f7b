"""Sweeps: many short trainings over ranges of settings, chosen by Optuna, each an ordinary run.

A sweep is a folder: ``sweep.json`` is its configuration, ``study.db`` Optuna's own SQLite storage, which its tools open
too. Trials are compared by their validation accuracy; the test images are for the end. A sweep that was killed
continues: a trial that was running is repeated.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from math import inf
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.trial import FrozenTrial, Trial, TrialState
from pydantic import ValidationError

from cnnlab.files import is_locked, lock, plain_json, read_limited
from cnnlab.jobs.job import Job
from cnnlab.jobs.sweep_config import Among, Between, SweepConfig, disk_bytes, is_whole, typed, validated, with_values
from cnnlab.people.belonging import belonging_of, give
from cnnlab.runs.ancestry import inherited
from cnnlab.runs.disk import allowed_bytes, check_room
from cnnlab.runs.run import MAX_READ, RunError, write_aside
from cnnlab.runs.store import RunStore
from cnnlab.runs.summary import About
from cnnlab.threads import ENDED_WITHIN

POLL_SECONDS = 0.1
HOPELESS = 3  # failed trials before any success, after which the sweep ends
STARTUP_TRIALS = 5  # sampled at random before TPE starts, and before any is pruned
WARMUP_EPOCHS = 1  # no trial is pruned before them

_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")
_AGAIN = "again"  # attribute of a trial: the number of the one it repeats
_ENDED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)

Status = Literal["running", "finished", "interrupted"]

optuna.logging.set_verbosity(optuna.logging.WARNING)


class SweepError(RunError):
    """A sweep that is missing, cannot be read or cannot continue; the message says why."""


@dataclass(frozen=True)
class Step:
    """The progress of a running sweep: its trial's training, and how many trials have ended."""

    job: Job
    number: int
    ended: int


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
        return self.opened(self.config)

    def opened(self, config: SweepConfig) -> optuna.Study:
        """Open its storage, or create it. Raises SweepError where it is damaged or cannot be created."""
        try:
            return optuna.create_study(
                study_name=self.id,
                storage=f"sqlite:///{self.folder.resolve() / 'study.db'}",
                pruner=_pruner(config),
                direction="maximize",
                load_if_exists=True,
            )
        except Exception as error:
            reason = " ".join(str(error).split())[:120]  # SQLAlchemy's errors have several lines
            raise SweepError(f"sweep {self.id}: its study.db cannot be read ({reason})") from error

    @property
    def trials(self) -> list[FrozenTrial]:
        """All trials so far, in the order of their start."""
        return self.study.get_trials(deepcopy=False)

    @property
    def ended(self) -> int:
        """The number of configured trials that have ended."""
        return len(self._through())

    @property
    def seconds(self) -> float:
        """The seconds that its ended trials took together."""
        return sum(trial.duration.total_seconds() for trial in self._through() if trial.duration)

    @property
    def status(self) -> Status:
        if is_locked(self.folder):
            return "running"
        return "interrupted" if self.has_room else "finished"

    @property
    def has_room(self) -> bool:
        """Whether trials and minutes are left."""
        config = self.config
        return self.ended < config.trials and (config.minutes is None or self.seconds < 60 * config.minutes)

    def extend(self, trials: int) -> None:
        """Add ``trials`` more, without a limit of minutes.

        Raises ConfigError where they are too many, SweepError where another process runs the sweep.
        """
        with self.held():
            config = validated(self.config.model_dump() | {"trials": self.ended + trials, "minutes": None})
            write_aside(self.folder / "sweep.json", config.model_dump_json(indent=1))

    def held(self) -> AbstractContextManager[None]:
        """Hold the sweep's lock while it runs. Raises SweepError where another process holds it."""
        return lock(self.folder, SweepError(f"sweep {self.id} is already running elsewhere"))

    def _through(self) -> list[FrozenTrial]:
        """Return the trials that ended by themselves; those that a kill ended were repeated."""
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
        except OSError as error:
            reason = error.strerror or str(error)
            raise SweepError(f"no sweep can be kept in {self.folder} ({reason}): choose another folder") from error
        sweep.opened(config)  # before others see the sweep: two that create its tables at once fail
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


def search(
    sweep: Sweep, store: RunStore, owner: str = "", note: Callable[[Job, int], None] = lambda job, after: None
) -> Generator[Step]:
    """Run trials one after the other, as runs of the sweep's owner, until their number or the minutes are used up.

    In the queue they count for ``owner``; ``note`` is called with each, and with 0 earlier epochs.

    Closing the generator abandons the running trial, which is repeated when the sweep continues. Raises SweepError
    where another process runs it or its first trials fail.
    """
    store = RunStore(store.folder, sweep.owner)
    with sweep.held():
        # A sweep that continues must not sample the same values as at its start.
        seed = sweep.config.seed + len(sweep.trials)
        sweep.study.sampler = optuna.samplers.TPESampler(n_startup_trials=STARTUP_TRIALS, seed=seed)
        _ask_again(sweep.study)
        while sweep.has_room:
            trial = sweep.study.ask()
            job = _begin(sweep, trial, store, owner)
            note(job, 0)
            try:
                yield from _follow(job, trial, sweep)
            finally:
                if job.is_running:
                    job.abandon()
                job.join(ENDED_WITHIN)  # a long step ends later, and with the process
            if job.is_abandoned:
                return
            _tell(sweep, trial, job)


def _is_readable(sweep: Sweep) -> bool:
    try:
        return bool(sweep.config)
    except SweepError:
        return False


def _begin(sweep: Sweep, trial: Trial, store: RunStore, owner: str) -> Job:
    config = sweep.config
    chosen = {name: typed(name, _suggested(trial, name, values)) for name, values in config.space.items()}
    if "seed" in chosen:  # trials are compared on the same validation images
        chosen["split_seed"] = config.base.held_out_by
    job = Job.start(with_values(config.base, chosen), store, owner=owner)
    job.run.write_about(About(tags=(f"sweep {sweep.id}",), note=f"Trial {trial.number} of sweep {sweep.id}."))
    trial.set_user_attr("run", job.run.id)
    return job


def _follow(job: Job, trial: Trial, sweep: Sweep) -> Generator[Step]:
    """Yield the steps of a trial and report each epoch; stop a trial that is pruned."""
    ended, reported = sweep.ended, 0
    while job.is_running:
        yield Step(job, trial.number, ended)
        job.join(POLL_SECONDS)
        for epoch in job.history.epochs[reported:]:
            trial.report(epoch["validation_accuracy"], epoch["epoch"])
            reported += 1
            if epoch["epoch"] < job.config.epochs and trial.should_prune():
                trial.set_user_attr("pruned_after", epoch["epoch"])
                job.stop()
                job.join()
                return


def _tell(sweep: Sweep, trial: Trial, job: Job) -> None:
    accuracy = job.summary.validation_accuracy
    if "pruned_after" in trial.user_attrs:
        sweep.study.tell(trial, state=TrialState.PRUNED)
    elif job.state == "failed" or accuracy is None:
        trial.set_user_attr("error", job.error)
        sweep.study.tell(trial, state=TrialState.FAIL)
        states = [known.state for known in sweep.trials]
        if TrialState.COMPLETE not in states and states.count(TrialState.FAIL) >= HOPELESS:
            raise SweepError(f"the first {HOPELESS} trials failed: {job.error}")
    else:
        sweep.study.tell(trial, accuracy)


def _ask_again(study: optuna.Study) -> None:
    """End the trials that a killed process left running, and put their settings first."""
    for trial in study.get_trials(states=(TrialState.RUNNING,)):
        study.enqueue_trial(trial.params, user_attrs={_AGAIN: trial.number})
        study.tell(trial.number, state=TrialState.FAIL)


def _pruner(config: SweepConfig) -> optuna.pruners.BasePruner:
    match config.pruner:
        case "median":
            return optuna.pruners.MedianPruner(n_startup_trials=STARTUP_TRIALS, n_warmup_steps=WARMUP_EPOCHS)
        case "halving":
            return optuna.pruners.SuccessiveHalvingPruner(min_resource=WARMUP_EPOCHS)
        case _:
            return optuna.pruners.NopPruner()


def _suggested(trial: Trial, name: str, values: Between | Among) -> Any:
    if isinstance(values, Among):
        return trial.suggest_categorical(name, list(values.options))
    if is_whole(name):
        return trial.suggest_int(name, round(values.low), round(values.high), log=values.log)
    return trial.suggest_float(name, values.low, values.high, log=values.log)
