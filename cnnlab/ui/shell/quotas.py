"""What the session's person may use of the server and what they use; those in charge, and all without a class, have no
limits.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from math import inf

import streamlit as st

from cnnlab.data.datasets import dataset_spec, own_pictures
from cnnlab.errors import CnnLabError
from cnnlab.jobs.executor import chosen
from cnnlab.jobs.job import Job, running_jobs
from cnnlab.jobs.starting import further
from cnnlab.jobs.sweep_config import SweepConfig, disk_bytes, images_at_most
from cnnlab.jobs.trial_training import UNLIMITED, Account
from cnnlab.people.identity import people_folder
from cnnlab.people.quotas import MB, Quotas, Use, refusal
from cnnlab.people.spending import Ledger
from cnnlab.runs.disk import disk_needs
from cnnlab.runs.run import Run, RunError
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.training.config import MAX_EPOCHS, RunConfig
from cnnlab.training.epoch_time import epoch_images
from cnnlab.ui.shell import catalogue, classroom, person


def limits() -> Quotas:
    """Return the quotas of the session's person."""
    rules = person.class_rules() if person.me().role == "member" else None
    return rules or Quotas()


def are_limited() -> bool:
    """Check whether the session's person has any quota."""
    return limits().model_dump(include={*Quotas.model_fields}) != Quotas().model_dump()


def needs(config: RunConfig, after: int = 0, provable: bool = False) -> Use:
    """Return what a training of ``config`` takes, after that many earlier epochs. Raises as ``disk_needs``."""
    spec = dataset_spec(config.dataset)
    images, _ = epoch_images(config, spec)
    return Use(1, config.epochs * images, disk_needs(config, spec, after, provable).bytes)


def needs_further(run: Run, epochs: int = 0) -> Use:
    """Return what a resumed run takes: ``epochs`` more, or those of its plan left. Raises as ``disk_needs``."""
    return needs(further(run, epochs), run.whole_epochs, run.checkpoints.are_kept)


def sweep_needs(config: SweepConfig) -> Use:
    """Return what all trials of a sweep take; those that wait do not count as queued."""
    return Use(0, images_at_most(config), disk_bytes(config))


def used(queued: int = 0) -> Use:
    """Return what the session's person uses now, of whose trainings ``queued`` run or wait."""
    return _used(person.owner(), queued)


@st.cache_data(ttl=5, max_entries=1000, show_spinner=False)  # seconds: with thousands of runs it takes a while
def lately_used(at: str, owner: str, queued: int) -> Use:
    """Return what ``used`` returned a moment ago for somebody on the server with the runs ``at``."""
    return _used(owner, queued)


def check(more: Callable[[], Use], queued: int) -> None:
    """Raise RunError where the session's person may not use so much more, with what is used up and how to free it."""
    if are_limited():
        _check(limits(), person.owner(), more, queued)


def account(queued_as: str) -> Account:
    """Return what the trainings of the session's person are charged to, who is ``queued_as`` in the queue.

    From now on, no more of them run at once than the person's quota says.
    """
    most = limits()
    chosen().queue.limit(queued_as, most.running)
    return _Limited(most, person.owner()) if are_limited() else UNLIMITED


def settle(owner: str) -> None:
    """Count of somebody's trainings that have ended only what they took."""
    if owner:
        _ledger().settled(owner, _epochs_of)


def disk_left() -> float:
    """Return how many bytes more the session's person may have on disk; infinite without a quota."""
    most = limits().disk_mb
    return max(0.0, most * MB - _bytes_of(person.owner())) if most else inf


@dataclass(frozen=True)
class _Limited:
    """The account of somebody with quotas, who may have begun other trainings since it was opened."""

    most: Quotas
    owner: str

    def check(self, config: RunConfig, after: int) -> None:
        _check(self.most, self.owner, lambda: replace(needs(config, after), queued=0))

    def charge(self, job: Job, after: int) -> None:
        if self.most.images_a_day:
            images, _ = epoch_images(job.config, dataset_spec(job.config.dataset))
            with suppress(OSError):  # where nothing can be written, no training gets far
                _ledger().note(self.owner, job.run.id, images, job.epochs - after, after)


def _check(most: Quotas, owner: str, more: Callable[[], Use], queued: int = 0) -> None:
    try:
        why = refusal(most, _used(owner, queued), more())
    except CnnLabError as error:  # a data set that is gone, a network that does not fit
        raise RunError(str(error)) from error
    if why:
        raise RunError(why)


def _used(owner: str, queued: int) -> Use:
    ledger = _ledger()
    starts = ledger.settled(owner, _epochs_of)
    return Use(queued, sum(start.total for start in starts), _bytes_of(owner), ledger.renews_in(starts))


def _epochs_of(run_id: str) -> int | None:
    """Return the epochs that a run has, None while it trains; of one that is gone, all that were asked for."""
    if any(job.run.id == run_id for job in running_jobs()):
        return None
    store = RunStore(runs_folder())
    with suppress(RunError):
        return store.open(run_id).whole_epochs
    return next((run.whole_epochs for run in store.deleted() if run.id == run_id), MAX_EPOCHS)


def _bytes_of(owner: str) -> int:
    """Return the bytes of somebody's runs, of what else their copies for assignments hold, and of their data sets.

    Deleted ones are included; what trains counts with its end.
    """
    training = {job.run.id: _bytes_at_end(job) for job in running_jobs() if job.run.owner == owner}
    runs = catalogue.entries()
    megabytes: float = sum(
        entry.row["Disk, MB"]
        for entry, one in zip(runs, runs.belongings, strict=True)
        if one.owner == owner and entry.id not in training
    )
    deleted = sum(run.disk_bytes for run in RunStore(runs_folder()).deleted() if run.owner == owner)
    copies = classroom.hand_ins().disk_bytes(owner)
    return round(megabytes * MB) + sum(training.values()) + deleted + copies + own_pictures(owner).disk_bytes


def _bytes_at_end(job: Job) -> int:
    """Return what the run of a training takes at most when it ends; where that cannot be known, what it takes now."""
    whole = job.config.model_copy(update={"epochs": job.epochs})
    with suppress(CnnLabError):
        most = disk_needs(whole, dataset_spec(whole.dataset), provable=job.run.checkpoints.are_kept).bytes
        return max(most, job.run.disk_bytes)
    return job.run.disk_bytes


def _ledger() -> Ledger:
    return Ledger(people_folder(runs_folder()) / "spent")
