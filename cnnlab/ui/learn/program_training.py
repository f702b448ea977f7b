"""Steps 6 and 7 of the program, live: an ordinary run of the app, and its curves."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from cnnlab import charts
from cnnlab.data.datasets import dataset_spec
from cnnlab.jobs.job import Job
from cnnlab.quantities import time_taken
from cnnlab.runs.entry import settings_digest
from cnnlab.runs.run import Run, RunError
from cnnlab.runs.summary import Summary
from cnnlab.training.config import RunConfig
from cnnlab.training.history import History
from cnnlab.ui.learn.program_choice import put_into_address
from cnnlab.ui.shell import frame, poll, run_changes, session
from cnnlab.ui.shell.reasons import as_reason
from cnnlab.ui.widgets.job_progress import progress_text
from cnnlab.ui.widgets.live_chart import live_chart

UPDATE_SECONDS = 1.0

_COLUMNS = {
    "epoch": ("", "Epoch"),
    "train_loss": ("Train", "Loss"),
    "train_accuracy": ("Train", "Accuracy"),
    "validation_loss": ("Validation", "Loss"),
    "validation_accuracy": ("Validation", "Accuracy"),
}
_KINDS = {  # by heading; widths in pixels, so that all fit beside the code and on a phone
    "Epoch": st.column_config.NumberColumn(width=54),
    "Loss": st.column_config.NumberColumn(format="%.3f", width=58),
    "Accuracy": st.column_config.NumberColumn(format="percent", width=76),
}
# By column position, which Streamlit accepts but its types omit; 0 is the index.
_FORMATS: dict[Any, ColumnConfig] = {
    place: _KINDS[heading] for place, (_, heading) in enumerate(_COLUMNS.values(), start=1)
}

Place = Callable[[int], AbstractContextManager[object]]


def train_and_plot(config: RunConfig, step: Place) -> None:
    """Show steps 6 and 7 in ``step(6)`` and ``step(7)``; they update while this session trains."""
    poll.follow(_is_training, UPDATE_SECONDS, _steps, config, step)


def _is_training() -> bool:
    job = session.current_job()
    return job is not None and job.is_running


def _steps(config: RunConfig, step: Place) -> None:
    job = _own(config)
    run = job.run if job else _trained(config)
    history = job.history if job else run.history() if run else None
    with step(6):
        if job and job.is_running:
            _progress(job)
        else:
            _offer(config, job, "Train it again" if run else "Train it here")
        if history and history.epochs:
            _epochs(history)
        if run and not (job and job.is_running):
            _judged(run.summary)
    with step(7):
        if run and history and (history.steps or history.epochs):
            _curves(run, history)
        else:
            st.info("Train it in step 6 to see its curves here.", icon=":material/show_chart:")


def _own(config: RunConfig) -> Job | None:
    """Return this session's training if it has this ``config``; None otherwise."""
    job = session.current_job()
    return job if job and job.config == config else None


def _trained(config: RunConfig) -> Run | None:
    """Find the newest finished run of the same config whose epochs and learning rate were not changed later."""
    settings = settings_digest(config)
    alike = (entry for entry in session.trained_runs() if entry.settings == settings and entry.status == "finished")
    for entry in alike:
        if not (entry.summary.extensions or entry.summary.rates_set):
            return entry.run
    return None


def _progress(job: Job) -> None:
    st.progress(job.progress, text=progress_text(job))
    st.button(
        "Stop (keeps all epochs)",
        icon=":material/stop_circle:",
        on_click=run_changes.stop,
        args=[job],
        disabled=job.state == "judging" or job.is_stopping,
        key="learn.program.stop",
    )


def _offer(config: RunConfig, ended: Job | None, label: str) -> None:
    """Show the button that starts the training, and the error of the last attempt."""
    if ended and ended.error:
        st.error(as_reason(ended.error), title="This training failed")
    other = session.running_job()
    if st.button(
        label,
        type="primary",
        icon=":material/play_arrow:",
        on_click=put_into_address,
        disabled=bool(other),
        key="learn.program.train",
    ):
        try:
            session.start(config)
        except RunError as error:
            st.error(as_reason(error), title="This training could not start")
        else:
            st.rerun()
    if other:
        _tell_of(other)


def _tell_of(other: Job) -> None:
    """Say what this session trains at the moment: this page waits for its end."""
    config = other.config
    st.info(
        f"This session is training {frame.literal(config.architecture.title)} on {dataset_spec(config.dataset).title} "
        f"for {frame.counted(config.epochs, 'epoch')} with seed {config.seed}: {other.progress:.0%} done. Wait "
        "until it ends, or stop it.",
        icon=":material/hourglass_top:",
    )
    frame.link("Train", "See it on Train")


def _epochs(history: History) -> None:
    table = pd.DataFrame([*history.epochs])[list(_COLUMNS)]  # copied, as the training adds to them meanwhile
    table.columns = pd.MultiIndex.from_tuples(_COLUMNS.values())
    st.dataframe(table, hide_index=True, column_config=_FORMATS)


def _judged(summary: Summary) -> None:
    if summary.test_accuracy is None:
        return
    with st.container(horizontal=True):
        st.metric("Test accuracy", f"{summary.test_accuracy:.1%}")
        st.metric("Training time", time_taken(summary.seconds or 0))
    weakest = min(summary.per_class, key=summary.per_class.__getitem__)
    st.caption(
        f"On {sum(summary.support.values()):,} test images, once. The weakest class is {frame.literal(weakest)} with "
        f"{summary.per_class[weakest]:.1%}. Trained on {frame.counted(summary.threads, 'thread')}, in "
        f"{frame.literal(summary.precision)}."
    )
    frame.door("Inside", "Look inside this network", {"run": summary.id})


def _curves(run: Run, history: History) -> None:
    for metric in ("loss", "accuracy"):
        plot = charts.curve(history, metric)
        live_chart(plot, f"learn.program.{metric}", run.id, f"Train and validation {metric} by epoch", height=260)
    st.caption(
        "A train point is the mean over its epoch, while the network is learning. So early in training it lags the "
        "last batches. Validation is measured after each epoch."
    )
