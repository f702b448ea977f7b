"""What a browser session trains and looks at: its jobs, its run, and the runs that its person may see.

A job is found by its run's id, which cannot be guessed and is in the page's URL: a reload or a second tab finds it
there, and with it all trainings of its owner, which start in the order in which they were added. A job that no page
watches for GRACE_SECONDS is stopped, and its trained weights are saved; other background work is stopped too.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from threading import Lock
from typing import Any

from cnnlab.data.datasets import DATASETS, dataset_spec
from cnnlab.data.spec import DatasetError
from cnnlab.jobs.fair_share import Ticket
from cnnlab.jobs.job import Job
from cnnlab.jobs.worker import Worker
from cnnlab.networks.designs import Shelf
from cnnlab.networks.operations import sources_of
from cnnlab.people.quotas import Use
from cnnlab.people.rights import Action
from cnnlab.runs.ancestry import inherited
from cnnlab.runs.entry import Entry
from cnnlab.runs.example import example_id
from cnnlab.runs.listing import Listing
from cnnlab.runs.run import Run, RunError
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.training.config import RunConfig
from cnnlab.ui.shell import catalogue, forecasts, person, quotas, run_changes
from cnnlab.ui.shell.address import RUN
from cnnlab.ui.shell.board import own_watch, the_board
from cnnlab.ui.shell.flash import LINK, say
from cnnlab.ui.shell.own_pictures import may_train_on
from cnnlab.ui.shell.state import OWN_RUN, WORKS

MOST_QUEUED = 20  # trainings of one owner, the running ones included
REMOVED_WITHIN = 2.0  # seconds that a page waits

_adding = Lock()  # of several pages, each finds what the others began: quotas are of all together


def store() -> RunStore:
    """Return the run store of this server, for new runs: they are the person's. ``find_run`` opens what one may see."""
    return RunStore(runs_folder(), person.owner())


def shelf() -> Shelf:
    """Return the saved designs of the person; without a class, all of this server."""
    return Shelf(runs_folder(), person.owner())


def owner() -> str:
    """Return whom this session's trainings and experiments count for in the queue: its person, if known."""
    return person.me().id or own_watch().owner


def start(config: RunConfig, provable: bool = False) -> Job:
    """Train ``config`` when its turn comes, as the session's run, and return the job. Raises as ``add`` does."""
    return _taken(add(config, provable))


def add(config: RunConfig, provable: bool = False) -> Job:
    """Train ``config`` when its turn comes: after the owner's other trainings, or beside them where slots are free.

    Returns the job, or the one that has the same config and has not ended. A ``provable`` run keeps all checkpoints.
    Raises RunError as ``Job.start`` does, or where the owner has too many trainings or no room in a quota, or may not
    use a parent or pictures.
    """
    check_sources(config)
    whole = inherited(config, store())  # as in the job's config
    foreseen = forecasts.forecast_for(whole)
    return _added(
        lambda job: job.config == whole,
        lambda ticket: Job.start(whole, store(), ticket=ticket, provable=provable, forecast=foreseen),
        lambda: quotas.needs(whole, provable=provable),
    )


def resume(run: Run, epochs: int = 0, learning_rate: float | None = None) -> Job:
    """Resume ``run`` as ``Job.resume`` does, as the session's run. Raises RunError as that and ``add`` do.

    If another page has just resumed it, return that job.
    """
    run_changes.check(Action.CONTINUE, run)
    job = the_board().jobs.get(run.id)
    if job and job.is_running:
        return _taken(job)
    return _taken(
        _added(
            lambda job: job.run.id == run.id,
            lambda ticket: Job.resume(run, epochs, learning_rate, ticket=ticket),
            lambda: quotas.needs_further(run, epochs),
            run.whole_epochs,
        )
    )


def _added(
    is_asked: Callable[[Job], bool], begin: Callable[[Ticket], Job], more: Callable[[], Use], after: int = 0
) -> Job:
    """Return the owner's training that ``is_asked``, else begin one, which takes ``more`` ``after`` earlier epochs.

    Raises RunError where there are too many, or a quota has no room for it.
    """
    with _adding:
        board, watch, others = the_board(), own_watch(), trainings()
        if known := next((job for job in others if is_asked(job)), None):
            return known
        if len(others) >= MOST_QUEUED:
            raise RunError(f"{MOST_QUEUED} of your trainings wait or run: remove one, or wait until one ends")
        quotas.check(more, len(others))
        ticket = Ticket(owner(), in_order=True)
        account = quotas.account(ticket.owner)
        # No call of Streamlit in between: a second click interrupts there, and must find the first one's job.
        watch.own = job = begin(ticket)
        board.jobs[job.run.id] = job
        watch.add(job, partial(board.let_go, job))
        account.charge(job, after)
        return job


def _taken(job: Job) -> Job:
    RUN.put(job.run.id)  # which comes first, and may hold an earlier run
    current_job()
    return job


def trainings() -> list[Job]:
    """Return the session's trainings that run or wait, in the order in which they were added."""
    return [job for job in all_trainings() if job.is_running]


def all_trainings() -> list[Job]:
    """Return the session's trainings that the server still has, running or ended."""
    return the_board().of(owner())


def remove(job: Job) -> None:
    """Remove a training from the queue, unless it has just begun; its run too, unless it was trained before.

    Raises RunError where it is somebody else's.
    """
    run_changes.check(Action.STOP, job.run)
    if job.steps:
        return
    job.abandon()
    job.join(REMOVED_WITHIN)
    quotas.settle(job.run.owner)  # before its run is gone, which tells what it has taken
    if not (job.is_running or job.history.steps or job.run.whole_epochs):
        with suppress(RunError):
            run_changes.delete(job.run.id)
            run_changes.delete_for_good(job.run.id)
            forget(job.run.id)


def running_job() -> Job | None:
    """Return the job of the session's run while it runs, else the first of its trainings; None if all ended.

    Somebody else's, which one only watches, does not count.
    """
    current = current_job()
    is_own = current and current.is_running and current.run.owner == person.owner()
    return current if is_own else next(iter(trainings()), None)


def current_job() -> Job | None:
    """Return the session's job, running or ended; None where there is none or the server has removed it."""
    board, watch = the_board(), own_watch()
    job = board.jobs.get(current_run_id() or "")
    if job and not person.is_class() and not trainings():
        watch.owner = job.owner or watch.owner  # a page that was reloaded; in a class, whoever has a link only looks
    for each in filter(None, (job, *board.of(owner()))):
        watch.add(each, partial(board.let_go, each))
    for work in _kept():
        watch.add(work, work.cancel)  # after a lost connection it watches again
    return job


def watch(work: Worker[Any]) -> None:
    """Watch ``work`` from now on: when all watchers have been gone for the grace period, it is cancelled."""
    kept = WORKS.put([*(other for other in _kept() if other.is_running and other is not work), work])
    for each in kept:
        own_watch().add(each, each.cancel)


def _kept() -> list[Worker[Any]]:
    return WORKS.get()


def current_run_id() -> str | None:
    """Return the id of the session's run, from the URL, else from the session; write it into the URL."""
    own = own_watch().own  # a second click may have interrupted the first before its id was stored
    run_id = RUN.value() or OWN_RUN.get() or (own.run.id if own else None)
    if run_id and not is_training(run_id) and not find_run(run_id):
        if RUN.drop():
            say(LINK, _why_missing(run_id), "warning")
        run_id = None
    OWN_RUN.put(run_id)
    if run_id:
        RUN.put(run_id)
    return run_id


def forget(run_id: str) -> None:
    """Have the session be about no run where it is about this one, which it has just deleted."""
    if run_id in (RUN.value(), OWN_RUN.get()):
        RUN.drop()
        OWN_RUN.drop()


def _why_missing(run_id: str) -> str:
    if any(run.id == run_id for run in run_changes.deleted_runs()):
        return "The run in this link is deleted. You can restore it on Compare, under Deleted."
    return "The run in this link does not exist here."


def is_training(run_id: str) -> bool:
    """Check whether the run trains here, where one may see it: then it is locked, and cannot have been deleted."""
    job = the_board().jobs.get(run_id)
    return job is not None and job.is_running and person.may(Action.SEE, job.run)


def current_run() -> Run | None:
    """Load the session's run from disk; None where there is none."""
    run_id = current_run_id()
    return find_run(run_id) if run_id else None


def trained_runs() -> Listing:
    """List the runs that can be viewed, newest first: all that have ended, and this session's own.

    In a class, these are the person's and those that are shown; for teachers all.
    """
    own, runs = current_run_id(), catalogue.entries()
    return runs.viewable({name for name in runs.datasets if name in DATASETS}, own, person.me())


def example() -> Entry | None:
    """Return the run that comes with the app; None where this server leaves it out."""
    return trained_runs().by_id.get(example_id())


def missing_data() -> str:
    """Say what is wrong where the pictures that the session's own run was trained on are gone or others; else empty."""
    run = current_run()
    if not run:
        return ""
    try:
        dataset_spec(run.config.dataset)
    except DatasetError as error:
        return f"{run.title}: {error}"
    except RunError as error:  # damaged
        return str(error)
    return ""


def find_run(run_id: str, action: Action = Action.SEE) -> Run | None:
    """Find a run by its id; None where it does not exist, was deleted, or ``action`` is not the person's."""
    run = _opened(run_id)
    return run if run and person.may(action, run) else None


def _opened(run_id: str) -> Run | None:
    try:
        return store().open(run_id)
    except RunError:
        return None


def origin(run: Run) -> Run | None:
    """Return the first ancestor of ``run`` as ``RunStore.origin`` does; None where it is not for the person to see."""
    first = store().origin(run)
    return first if first and person.may(Action.SEE, first) else None


def check_sources(config: RunConfig) -> None:
    """Raise RunError where the person may not train, or not with the weights and pictures that ``config`` names."""
    if person.me().role in ("visitor", "stranger"):
        raise RunError("only members of the class can train here")
    parent = _opened(config.comes_from.run) if config.comes_from else None  # if None, the training will report it
    for source in filter(None, (parent, *map(_opened, sources_of(config.operations)))):
        run_changes.check(Action.BRANCH, source)
    if not may_train_on(config.dataset) and not (parent and parent.config.dataset == config.dataset):
        raise RunError(f"there is no data set {config.dataset.partition(':')[0]} here")
