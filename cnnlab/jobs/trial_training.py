"""What trains the trials of a sweep: runs of a store, as jobs in the queue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from cnnlab.jobs.executor import chosen
from cnnlab.jobs.fair_share import Ticket
from cnnlab.jobs.job import Job
from cnnlab.jobs.starting import further
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


class Account(Protocol):
    """What trainings are charged to, in any thread; each after some earlier epochs of its run."""

    def check(self, config: RunConfig, after: int) -> None:
        """Raise RunError where a training would be too much."""

    def charge(self, job: Job, after: int) -> None:
        """Write down a training that has begun."""


class Unlimited:
    """An account without limits, on which nothing is written down."""

    def check(self, config: RunConfig, after: int) -> None:
        """Do nothing."""

    def charge(self, job: Job, after: int) -> None:
        """Do nothing."""


UNLIMITED = Unlimited()


class Jobs:
    """Trainings as runs of a store; in the queue they are ``owner``'s, and each is charged to ``account``."""

    def __init__(self, store: RunStore, owner: str = "", account: Account = UNLIMITED) -> None:
        self._store, self._account = store, account
        self._ticket = Ticket(owner, is_trial=True)

    @property
    def slots(self) -> int:
        """How many run at once, of this and others' trainings."""
        return chosen().queue.slots

    def start(self, config: RunConfig, about: About) -> Job:
        """Start a new run."""
        self._account.check(config, 0)
        job = Job.start(config, self._store, ticket=self._ticket)
        job.run.write_about(about)
        self._account.charge(job, 0)
        return job

    def resume(self, run_id: str) -> Job | Ended:
        """Continue a run after its last whole epoch, unless it ended by itself."""
        run = self._store.open(run_id)
        summary = run.summary
        if summary.status in ("finished", "stopped", "failed"):
            return Ended(summary, run.history())
        after = run.whole_epochs
        self._account.check(further(run), after)
        job = Job.resume(run, ticket=self._ticket)
        self._account.charge(job, after)
        return job
