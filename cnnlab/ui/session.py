"""Who trains what: the server's table of jobs, and the one this browser session holds.

A job is found by its run's id, which cannot be guessed and stands in the page's URL: a reload or a second tab
finds it there. A job that no page watches for GRACE_SECONDS is stopped; what it has learned is kept.
"""

from __future__ import annotations

import gc
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock, Thread, Timer

import streamlit as st

from cnnlab.catalogue import Catalogue, Entry
from cnnlab.config import RunConfig
from cnnlab.data import DATASETS
from cnnlab.job import Job
from cnnlab.runs import Run, RunError, RunStore, runs_folder

GRACE_SECONDS = float(os.environ.get("CNNLAB_GRACE_SECONDS", "120"))

_RUN = "run"  # the URL's parameter


@dataclass
class _Board:
    """Server-wide: all jobs, and how many sessions watch each."""

    jobs: dict[str, Job] = field(default_factory=dict)
    viewers: Counter[str] = field(default_factory=Counter)
    lock: Lock = field(default_factory=Lock)

    def watch(self, run_id: str) -> None:
        with self.lock:
            self.viewers[run_id] += 1

    def leave(self, run_id: str) -> None:
        with self.lock:
            self.viewers[run_id] -= 1
        timer = Timer(GRACE_SECONDS, self._end_unwatched, [run_id])
        timer.daemon = True
        timer.start()

    def _end_unwatched(self, run_id: str) -> None:
        with self.lock:
            if self.viewers[run_id] > 0:
                return
            job = self.jobs.pop(run_id, None)
        if job:
            job.stop()


@dataclass
class _Watch:
    """What one connected session watches; released by Streamlit as soon as its socket drops."""

    board: _Board
    run_ids: set[str] = field(default_factory=set)

    def release(self) -> None:
        for run_id in self.run_ids:
            self.board.leave(run_id)


@st.cache_resource(show_spinner=False)
def _board() -> _Board:
    return _Board()


@st.cache_resource(scope="session", show_spinner=False, on_release=lambda watch: watch.release())
def _watch() -> _Watch:
    return _Watch(_board())


@st.cache_resource(show_spinner=False)
def get_ready() -> None:
    """Once for a server, at its first page: read the runs in the background, keep collections short."""
    gc.collect()
    gc.freeze()  # what is imported by now stays: to walk through it in each full collection takes a fifth of a second
    Thread(target=_catalogue(str(runs_folder())).entries, daemon=True).start()


@st.cache_resource(show_spinner=False)
def _catalogue(folder: str) -> Catalogue:
    return Catalogue(RunStore(Path(folder)))


def store() -> RunStore:
    """The runs of this server."""
    return RunStore(runs_folder())


def start(config: RunConfig) -> Job:
    """Train ``config`` in the background; the job becomes this session's."""
    return _taken(Job.start(config, store()))


def resume(run: Run, epochs: int = 0, learning_rate: float | None = None) -> Job:
    """Go on with ``run``, as ``Job.resume``; the job becomes this session's. Raises RunError as that does.

    Where another page has just done so, it is that job.
    """
    job = _board().jobs.get(run.id)
    return _taken(job if job and job.is_running else Job.resume(run, epochs, learning_rate))


def _taken(job: Job) -> Job:
    _board().jobs[job.run.id] = job
    st.query_params[_RUN] = job.run.id  # which comes first, and may hold an earlier run
    current_job()
    return job


def current_job() -> Job | None:
    """The session's job, running or ended; None where there is none or the server has let it go."""
    run_id = current_run_id()
    job = _board().jobs.get(run_id or "")
    if job and job.run.id not in _watch().run_ids:
        _watch().run_ids.add(job.run.id)
        _board().watch(job.run.id)
    return job


def current_run_id() -> str | None:
    """The run this session is about: the URL's, else the one it held before; put back into the URL."""
    run_id = st.query_params.get(_RUN) or st.session_state.get(_RUN)
    if run_id and not found(run_id):
        if st.query_params.pop(_RUN, None):
            st.toast("The run in the address is not here, or not any more.", icon=":material/link_off:")
        run_id = None
    st.session_state[_RUN] = run_id
    if run_id:
        st.query_params[_RUN] = run_id
    return run_id


def current_run() -> Run | None:
    """The run this session is about, from disk."""
    run_id = current_run_id()
    return found(run_id) if run_id else None


def trained_runs() -> list[Entry]:
    """Runs with something to look at, the newest first: all that ended, and this session's own."""
    own = current_run_id()
    return [
        entry
        for entry in _catalogue(str(runs_folder())).entries()
        if entry.is_trained
        and entry.config.dataset in DATASETS
        and (entry.id == own or entry.summary.status != "running")
    ]


def found(run_id: str) -> Run | None:
    """A run by its id; None where it is not there, or not any more."""
    try:
        return store().open(run_id)
    except RunError:
        return None
