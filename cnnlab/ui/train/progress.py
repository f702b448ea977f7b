"""A training that runs: how far it is, how well it does, and the buttons that pause, stop and steer it."""

from __future__ import annotations

import streamlit as st

from cnnlab.jobs.job import Job
from cnnlab.people.rights import Action
from cnnlab.ui.shell import frame, person, run_changes
from cnnlab.ui.shell.state import RATE, RATE_OPEN
from cnnlab.ui.train.run_actions import HIGHEST_RATE, LOWEST_RATE
from cnnlab.ui.widgets.bounds import between, is_within
from cnnlab.ui.widgets.job_progress import progress_text


def progress(job: Job) -> None:
    """Show progress, metrics and controls of a training."""
    st.progress(job.progress, text=progress_text(job))
    _metrics(job)
    if job.threads_now < job.threads:
        st.caption(
            f"Other programs use the processor. On {frame.counted(job.threads_now, 'thread')} instead of {job.threads} "
            "the training is faster now."
        )
    _controls(job)


def _metrics(job: Job) -> None:
    """Show the main figures."""
    epochs = job.history.epochs
    latest = epochs[-1] if epochs else None
    steps = job.history.steps
    with st.container(horizontal=True):
        st.metric("Validation accuracy", f"{latest['validation_accuracy']:.1%}" if latest else "–")
        st.metric("Train accuracy", f"{latest['train_accuracy']:.1%}" if latest else "–")
        st.metric("Speed, images/s", f"{steps[-1]['images_per_second']:,.0f}" if steps else "–")
        st.metric("Learning rate", f"{job.learning_rate:.2g}" if job.learning_rate else "–")


def _controls(job: Job) -> None:
    if not person.may(Action.STOP, job.run):
        return  # it is somebody else's, who shows it
    with st.container(horizontal=True):
        if job.state == "paused":
            st.button("Continue", icon=":material/play_arrow:", on_click=run_changes.go_on, args=[job], key="continue")
        else:
            st.button(
                "Pause",
                icon=":material/pause:",
                on_click=run_changes.pause,
                args=[job],
                key="pause",
                disabled=job.state != "training" or job.is_stopping,
                help="Pauses after the current step. The result stays the same.",
            )
        st.button(
            "Stop (keeps all epochs)",
            icon=":material/stop_circle:",
            on_click=run_changes.stop,
            args=[job],
            key="stop",
            disabled=job.state == "judging" or job.is_stopping,
            help="Stops after the current step. Keeps all epochs and tests the last one. You can resume it.",
        )
        settable = job.state in ("training", "paused")
        with st.popover(
            "Learning rate", icon=":material/speed:", disabled=not settable, key=RATE_OPEN.name, on_change="rerun"
        ) as popover:
            if popover.open:
                _rate(job)


def _rate(job: Job) -> None:
    now = job.learning_rate or job.config.learning_rate
    RATE.fill(max(now, LOWEST_RATE))
    rate = st.number_input("From the next step", step=0.0001, format="%.4g", key=RATE.name)
    is_right = is_within(rate, between(LOWEST_RATE, HIGHEST_RATE))
    st.caption(f"It is {now:.2g} now. Its schedule then continues in proportion.")
    st.button("Set", on_click=_set_rate, args=[job], key="live.set", disabled=not is_right)


def _set_rate(job: Job) -> None:
    rate = RATE.get()  # as typed: the page may not have been drawn since
    if LOWEST_RATE <= rate <= HIGHEST_RATE:
        run_changes.change_learning_rate(job, rate)
        RATE_OPEN.put(False)
