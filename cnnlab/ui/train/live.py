"""A run on the page: progress while it trains, its result afterwards, and its curves, updated while it runs."""

from __future__ import annotations

import streamlit as st

from cnnlab import charts
from cnnlab.jobs.job import Job
from cnnlab.training.device import available_cores
from cnnlab.ui.shell import poll, session
from cnnlab.ui.train.curves import curves
from cnnlab.ui.train.progress import progress
from cnnlab.ui.train.resources import resources
from cnnlab.ui.train.result import result
from cnnlab.ui.train.run_view import RunView

CROWDED_CORES = 2
EAGER_FOR_SECONDS = 5.0
RELAXED_SECONDS = 4.0
RESOURCES_SECONDS = 20.0  # they change little, and two more charts each time slow a training on the same cores


def current_view() -> RunView | None:
    """Return the session's run, in memory while this server has its training, else from disk; None without one."""
    if job := session.current_job():
        return RunView.of(job)
    run = session.current_run()
    return RunView(run) if run else None


def watch(view: RunView, was_running: bool) -> None:
    """Follow a run until it has ended, then show its results; ``was_running`` when the page was drawn."""
    job = view.job
    if was_running and not view.is_running:
        st.rerun()
    poll.paced(lambda: _interval(job) if job and job.is_running else None, _show, view)
    poll.paced(lambda: RESOURCES_SECONDS if job and job.is_running else None, resources, view)


def _interval(job: Job) -> float:
    """Return the seconds between updates.

    Server and browser need about 0.15 s for each. Where they share two cores with the training, it has to wait: so
    after the first seconds, when the curves change most, updates become rarer.
    """
    is_crowded = job.summary.device == "cpu" and available_cores() <= CROWDED_CORES
    return RELAXED_SECONDS if is_crowded and job.seconds > EAGER_FOR_SECONDS else charts.LIVE_SECONDS


def _show(view: RunView) -> None:
    job = view.job
    if job and job.is_running:
        progress(job)
    else:
        result(view)
        if job and job.details:
            with st.expander("Error details", icon=":material/bug_report:"):
                st.code(job.details, language=None)
    curves(view)
