"""Sessions and jobs: the server's table of jobs, and the one that this browser session watches.

A job is found by its run's id, which cannot be guessed and is in the page's URL: a reload or a second tab finds it
there. A job that no page watches for GRACE_SECONDS is stopped, and its trained weights are saved; other background
work is stopped too.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import streamlit as st

from cnnlab.data.datasets import DATASETS, dataset_spec
from cnnlab.data.spec import DatasetError
from cnnlab.jobs.job import Job
from cnnlab.jobs.worker import Worker
from cnnlab.networks.designs import Shelf
from cnnlab.runs.ancestry import inherited
from cnnlab.runs.catalogue import Catalogue, Listing
from cnnlab.runs.entry import Entry
from cnnlab.runs.example import add_example, example_id
from cnnlab.runs.run import Run, RunError
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.threads import WorkerThread, exit_code_is
from cnnlab.training.config import RunConfig
from cnnlab.ui.shell.address import RUN
from cnnlab.ui.shell.audience import Audience
from cnnlab.ui.shell.flash import LINK, say
from cnnlab.ui.shell.state import OWN_RUN, WORKS

GRACE_SECONDS = float(os.environ.get("CNNLAB_GRACE_SECONDS", "120"))


@dataclass
class _Board:
    """Server-wide state: all jobs by their run's id, and the watchers of each."""

    jobs: dict[str, Job] = field(default_factory=dict)
    audience: Audience = field(default_factory=lambda: Audience(GRACE_SECONDS))

    def let_go(self, job: Job) -> None:
        """Stop a job that nobody watches and remove it; its results are on disk."""
        if self.jobs.get(job.run.id) is job:
            del self.jobs[job.run.id]
        job.stop()


class _Watch:
    """The work that a connected session watches; Streamlit releases it as soon as the socket closes."""

    def __init__(self, audience: Audience) -> None:
        self.own: Job | None = None  # the training that it started last
        self._audience = audience
        self._ends: dict[Hashable, Callable[[], object]] | None = {}  # how to end each work; None once released
        self._lock = Lock()

    def add(self, work: Hashable, end: Callable[[], object]) -> None:
        with self._lock:
            if self._ends is not None and work not in self._ends:
                self._ends[work] = end
                self._audience.watch(work)

    def release(self) -> None:
        with self._lock:
            for work, end in (self._ends or {}).items():
                self._audience.leave(work, end)
            self._ends = None


@st.cache_resource(show_spinner=False)
def _board() -> _Board:
    return _Board()


@st.cache_resource(scope="session", show_spinner=False, on_release=lambda watch: watch.release())
def _watch() -> _Watch:
    return _Watch(_board().audience)


@st.cache_resource(show_spinner=False)
def get_ready() -> None:
    """Prepare the server once, at its first page: add the example, read the runs in the background, make garbage
    collections short.
    """
    exit_code_is(0)  # Streamlit's exit code, however it ends
    gc.collect()
    gc.freeze()  # a full collection would take 0.2 s to walk through everything imported so far
    add_example(runs_folder())
    WorkerThread(_catalogue(str(runs_folder())).entries, end=lambda: None, is_left=True).start()


@st.cache_resource(show_spinner=False)
def _catalogue(folder: str) -> Catalogue:
    return Catalogue(RunStore(Path(folder)))


def store() -> RunStore:
    """Return the run store of this server."""
    return RunStore(runs_folder())


def shelf() -> Shelf:
    """Return the saved designs of this server."""
    return Shelf(runs_folder())


def start(config: RunConfig, provable: bool = False) -> Job:
    """Train ``config`` in the background and return the session's job. Raises RunError as ``Job.start`` does.

    A session has one training at a time. While one runs, the same config returns it, and another raises RunError.
    """
    whole = inherited(config, store())  # as in the job's config
    return _only(lambda job: job.config == whole, lambda: Job.start(whole, store(), provable=provable))


def resume(run: Run, epochs: int = 0, learning_rate: float | None = None) -> Job:
    """Resume ``run`` as ``Job.resume`` does and return the session's job. Raises RunError as that and ``start`` do.

    If another page has just resumed it, return that job.
    """
    job = _board().jobs.get(run.id)
    if job and job.is_running:
        return _taken(job)
    return _only(lambda job: job.run.id == run.id, lambda: Job.resume(run, epochs, learning_rate))


def _only(is_asked: Callable[[Job], bool], begin: Callable[[], Job]) -> Job:
    """Return the session's running job if ``is_asked``, else start one. Raises RunError where another one runs."""
    board, watch, running = _board(), _watch(), running_job()
    if running and is_asked(running):
        return _taken(running)
    if running:
        raise RunError("this session is training another network: wait until it ends, or stop it")
    # No call of Streamlit in between: a second click interrupts there, and must find the first one's job.
    watch.own = job = begin()
    board.jobs[job.run.id] = job
    watch.add(job, partial(board.let_go, job))
    return _taken(job)


def _taken(job: Job) -> Job:
    RUN.put(job.run.id)  # which comes first, and may hold an earlier run
    current_job()
    return job


def running_job() -> Job | None:
    """Return the running job of the session's run, else the one that the session started last; None if both ended."""
    jobs = current_job(), _watch().own
    return next((job for job in jobs if job and job.is_running), None)


def current_job() -> Job | None:
    """Return the session's job, running or ended; None where there is none or the server has removed it."""
    board, watch = _board(), _watch()
    job = board.jobs.get(current_run_id() or "")
    if job:
        watch.add(job, partial(board.let_go, job))
    for work in _kept():
        watch.add(work, work.cancel)  # after a lost connection it watches again
    return job


def watch(work: Worker[Any]) -> None:
    """Watch ``work`` from now on: when all watchers have been gone for the grace period, it is cancelled."""
    kept = WORKS.put([*(other for other in _kept() if other.is_running and other is not work), work])
    for each in kept:
        _watch().add(each, each.cancel)


def _kept() -> list[Worker[Any]]:
    return WORKS.get()


def current_run_id() -> str | None:
    """Return the id of the session's run, from the URL, else from the session; write it into the URL."""
    own = _watch().own  # a second click may have interrupted the first before its id was stored
    run_id = RUN.value() or OWN_RUN.get() or (own.run.id if own else None)
    if run_id and not is_training(run_id) and not find_run(run_id):
        if RUN.drop():
            say(LINK, "The run in this link does not exist here.", "warning")
        run_id = None
    OWN_RUN.put(run_id)
    if run_id:
        RUN.put(run_id)
    return run_id


def is_training(run_id: str) -> bool:
    """Check whether the run trains on this server: then it is locked, and cannot have been deleted."""
    job = _board().jobs.get(run_id)
    return job is not None and job.is_running


def current_run() -> Run | None:
    """Load the session's run from disk; None where there is none."""
    run_id = current_run_id()
    return find_run(run_id) if run_id else None


def trained_runs() -> Listing:
    """List the runs that can be viewed, newest first: all that have ended, and this session's own."""
    own, runs = current_run_id(), _catalogue(str(runs_folder())).entries()
    return runs.viewable({name for name in runs.datasets if name in DATASETS}, own)


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
    return ""


def find_run(run_id: str) -> Run | None:
    """Find a run by its id; None where it does not exist or was deleted."""
    try:
        return store().open(run_id)
    except RunError:
        return None
