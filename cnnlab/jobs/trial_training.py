"""What trains the trials of a sweep: runs of a store, as jobs in the queue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from cnnlab.jobs.executor import chosen
from cnnlab.jobs.job import Job, further
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.runs.summary import About, Summary
from cnnlab.training.config import RunConfig
from cnnlab.training.history import History


class Training(Protocol):
    """The training of a trial: a ``Job``, or what stands for one."""

    @property
    def run(self) -> Run: ...
    @property
    def config(self) -> RunConfig: ...
    @property
    def history(self) -> History: ...
    @property
    def summary(self) -> Summary: ...
    @property
    def progress(self) -> float: ...
    @property
    def seconds(self) -> float: ...
    @property
    def place(self) -> int: ...
    @property
    def is_running(self) -> bool: ...
    @property
    def is_abandoned(self) -> bool: ...
    def stop(self) -> None: ...
    def abandon(self) -> None: ...
    def join(self, timeout: float | None = None) -> None: ...


@dataclass(frozen=True)
class Ended:
    """What a training left that ended by itself."""

    summary: Summary
    history: History


class Trainings(Protocol):
    """What trains the trials."""

    @property
    def slots(self) -> int:
        """How many run at once."""

    def start(self, config: RunConfig, about: About) -> Training:
        """Start a new run. Raises RunError, ConfigError."""

    def resume(self, run_id: str) -> Training | Ended:
        """Continue a run, or return what one that has ended left. Raises CnnLabError where neither is possible."""


class Jobs:
    """Trainings as runs of a store; in the queue, where they wait for their turns, they count for ``owner``.

    ``admit`` is called with the config of each before it begins, and raises RunError where it may not; ``note`` is
    called with each, and both with the number of its earlier epochs.
    """

    def __init__(
        self,
        store: RunStore,
        owner: str = "",
        note: Callable[[Job, int], object] = lambda job, after: None,
        admit: Callable[[RunConfig, int], object] = lambda config, after: None,
    ) -> None:
        self._store, self._owner, self._note, self._admit = store, owner, note, admit

    @property
    def slots(self) -> int:
        """How many run at once, of this and others' trainings."""
        return chosen().slots

    def start(self, config: RunConfig, about: About) -> Job:
        """Start a new run."""
        self._admit(config, 0)
        job = Job.start(config, self._store, owner=self._owner, is_trial=True)
        job.run.write_about(about)
        self._note(job, 0)
        return job

    def resume(self, run_id: str) -> Job | Ended:
        """Continue a run after its last whole epoch, unless it ended by itself."""
        run = self._store.open(run_id)
        summary = run.summary
        if summary.status in ("finished", "stopped", "failed"):
            return Ended(summary, run.history())
        after = run.whole_epochs
        self._admit(further(run), after)
        job = Job.resume(run, owner=self._owner, is_trial=True)
        self._note(job, after)
        return job
