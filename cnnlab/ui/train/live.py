"""The live view of a training: progress, curves and per-class accuracy, updated while it runs."""

from __future__ import annotations

import streamlit as st
from scipy.stats import binomtest

from cnnlab import charts
from cnnlab.jobs.job import Job
from cnnlab.runs.ancestry import caveat
from cnnlab.runs.run import Run
from cnnlab.runs.summary import how_tested
from cnnlab.training.config import last_epoch
from cnnlab.training.device import available_cores
from cnnlab.training.titles import value_title
from cnnlab.ui.shell import frame, poll
from cnnlab.ui.shell.glossary_links import explain
from cnnlab.ui.shell.state import RATE, RATE_OPEN
from cnnlab.ui.train.run_actions import HIGHEST_RATE, LOWEST_RATE, run_actions
from cnnlab.ui.train.run_view import RunView
from cnnlab.ui.widgets.balanced_metrics import balanced_metrics
from cnnlab.ui.widgets.bounds import between, is_within
from cnnlab.ui.widgets.curves import log_loss
from cnnlab.ui.widgets.format import percent, time_taken
from cnnlab.ui.widgets.job_progress import progress_text
from cnnlab.ui.widgets.live_chart import live_chart

CROWDED_CORES = 2
EAGER_FOR_SECONDS = 5.0
RELAXED_SECONDS = 4.0
IDLE_EPOCHS = 3
GUESSING = 1.3  # times the loss of guessing
_MIXED = " With mixed images, an answer counts by the share of its class. So train accuracy stays low; that is normal."


def watch(job: Job, was_running: bool) -> None:
    """Follow ``job`` until it ends, then show its results; ``was_running`` when the page was drawn."""
    if was_running and not job.is_running:
        st.rerun()
    poll.paced(lambda: _interval(job) if job.is_running else None, _show, job, RunView.of(job))


def recall(run: Run) -> None:
    """Show a run that is not training on this server, read from disk."""
    view = RunView(run)
    _result(view)
    _curves(view)


def _interval(job: Job) -> float:
    """Return the seconds between updates.

    Server and browser need about 0.15 s for each. Where they share two cores with the training, it has to wait: so
    after the first seconds, when the curves change most, updates become rarer.
    """
    is_crowded = job.summary.device == "cpu" and available_cores() <= CROWDED_CORES
    return RELAXED_SECONDS if is_crowded and job.seconds > EAGER_FOR_SECONDS else charts.LIVE_SECONDS


def _show(job: Job, view: RunView) -> None:
    if job.is_running:
        _progress(job, view)
    else:
        _result(view)
        if job.details:
            with st.expander("Error details", icon=":material/bug_report:"):
                st.code(job.details, language=None)
    _curves(view)


def _headline(view: RunView) -> None:
    """Show the run's title and main settings."""
    config = view.config
    st.markdown(f"**{frame.literal(view.title)}**")
    if view.came_from_elsewhere:
        st.caption("Trained elsewhere: its training data and settings are not known.")
        return
    st.caption(
        f"{frame.counted(config.epochs, 'epoch')}, batches of {config.batch_size:,}, {value_title(config.optimizer)}, "
        f"learning rate {config.learning_rate:g} ({config.schedule}), augmentation {value_title(config.augmentation)}, "
        f"seed {config.seed}."
    )


def _progress(job: Job, view: RunView) -> None:
    _headline(view)
    st.progress(job.progress, text=progress_text(job))
    epochs = job.history.epochs
    latest = epochs[-1] if epochs else None
    steps = job.history.steps
    with st.container(horizontal=True):
        st.metric("Validation accuracy", f"{latest['validation_accuracy']:.1%}" if latest else "–")
        st.metric("Train accuracy", f"{latest['train_accuracy']:.1%}" if latest else "–")
        st.metric("Speed, images/s", f"{steps[-1]['images_per_second']:,.0f}" if steps else "–")
        st.metric("Learning rate", f"{job.learning_rate:.2g}" if job.learning_rate else "–")
    chance = GUESSING / len(job.summary.classes) if job.summary.classes else 0.0
    if len(epochs) >= IDLE_EPOCHS and all(row["validation_accuracy"] < chance for row in epochs[-IDLE_EPOCHS:]):
        st.warning(f"For {IDLE_EPOCHS} epochs it was no better than guessing: try a lower learning rate.")
    _controls(job)


def _controls(job: Job) -> None:
    with st.container(horizontal=True):
        if job.state == "paused":
            st.button("Continue", icon=":material/play_arrow:", on_click=job.go_on, key="continue")
        else:
            st.button(
                "Pause",
                icon=":material/pause:",
                on_click=job.pause,
                key="pause",
                disabled=job.state != "training" or job.is_stopping,
                help="Pauses after the current step. The result stays the same.",
            )
        st.button(
            "Stop (keeps all epochs)",
            icon=":material/stop_circle:",
            on_click=job.stop,
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
        job.change_learning_rate(rate)
        RATE_OPEN.put(False)


def _result(view: RunView) -> None:
    run, config, summary = view.run, view.config, view.summary
    _headline(view)
    whole = max(run.epochs(), default=0)
    last = last_epoch(config, summary.extensions)
    where = f"after {whole} of {last} epochs, which are kept. **Resume** continues from there."
    if summary.status == "failed":
        st.error(frame.literal(summary.error), title="This training failed; its complete epochs are kept")
    elif summary.status == "interrupted":
        st.warning(f"This training was interrupted {where}")
    elif summary.status == "stopped":
        st.info(f"Stopped {where}" if whole else "Stopped during the first epoch: there is nothing to test.")
    if summary.test_accuracy is None:
        run_actions(run)
        return
    images = sum(summary.support.values())
    low, high = bounds = binomtest(round(summary.test_accuracy * images), images).proportion_ci(method="wilson")
    with st.container(horizontal=True):
        st.metric("Test accuracy", percent(summary.test_accuracy, bounds))
        if summary.is_imbalanced:
            balanced_metrics(summary.balanced_accuracy, summary.macro_f1)
        if not view.came_from_elsewhere:
            st.metric("Validation accuracy", f"{summary.validation_accuracy:.1%}")
            st.metric("Train accuracy", f"{summary.train_accuracy:.1%}")
            st.metric("Training time", time_taken(summary.seconds or 0))
            st.metric("Speed, images/s", f"{summary.images_per_second:,.0f}")
    explain(
        f"{how_tested(summary, run.looks)}. 95% interval {percent(low, bounds)} to "
        f"{percent(high, bounds)} (Wilson). Weights of epoch {summary.epoch}. Measured in evaluation "
        "mode, without augmentation."
    )
    if warning := caveat(run):
        st.caption(f":material/warning: {warning}.")
    with st.container(horizontal=True):
        frame.link("Inside", "Look inside")
        frame.link_to_draw(config.dataset, summary.classes)
        frame.link("Compare", "Compare runs")
    run_actions(run)


def _curves(view: RunView) -> None:
    history, summary = view.history, view.summary
    if view.came_from_elsewhere or (not history.epochs and not history.steps):
        return
    log = log_loss()
    figures = charts.live(history, summary.classes, view.stem, log)
    left, right = st.columns(2)
    with left:
        live_chart(figures["loss"], "loss", f"{summary.id}.{log}", "Train and validation loss by epoch")
    with right:
        live_chart(figures["accuracy"], "accuracy", summary.id, "Train and validation accuracy by epoch")
    explain(
        "The thin line shows each batch. Train is measured during training, with augmentation and dropout, so it can "
        "lie below validation. "
        "Validation images guide your choices; test images give the final score."
        + _MIXED
        * bool(view.config.mixup or view.config.cutmix)
    )
    if "per-class" in figures:
        st.markdown(f"**Each class after epoch {len(history.epochs)}**")
        live_chart(figures["per-class"], "per-class", summary.id, "Validation accuracy of each class", height=240)
