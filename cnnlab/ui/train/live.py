"""A run on the page: progress while it trains, its result afterwards, and its curves, updated while it runs."""

from __future__ import annotations

import streamlit as st

from cnnlab import charts
from cnnlab.jobs.job import Job
from cnnlab.training.device import available_cores
from cnnlab.ui.shell import poll, session
from cnnlab.ui.train.curves import curves
from cnnlab.ui.train.diagnosis import diagnosis
from cnnlab.ui.train.progress import progress
from cnnlab.ui.train.resources import resources
from cnnlab.ui.train.result import result
from cnnlab.ui.train.run_view import RunView
from cnnlab.ui.train.verdict import verdict

CROWDED_CORES = 2
CROWDED_PACE = ((0.0, charts.LIVE_SECONDS), (5.0, 4.0), (60.0, 8.0))  # seconds of training, seconds between updates
DIAGNOSIS_SECONDS = 10.0  # an examination takes some 50 ms of a core
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
    verdict(view)
    poll.paced(lambda: DIAGNOSIS_SECONDS if job and job.is_running else None, diagnosis, view)
    poll.paced(lambda: seconds_between_updates(job) if job and job.is_running else None, _show, view)
    poll.paced(lambda: RESOURCES_SECONDS if job and job.is_running else None, resources, view)


def seconds_between_updates(job: Job) -> float:
    """Return the seconds between updates of a training's page.

    Each takes the browser about 0.25 s of a core. Where it shares two cores with the training, that has to wait: so
    updates become rarer as the curves change less.
    """
    if job.summary.device != "cpu" or available_cores() > CROWDED_CORES:
        return charts.LIVE_SECONDS
    return next(pace for since, pace in reversed(CROWDED_PACE) if job.seconds >= since)


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
