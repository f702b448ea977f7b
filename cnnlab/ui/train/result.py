"""A training that has ended: its result, where to go next, and what can be done with the run."""

from __future__ import annotations

import streamlit as st
from scipy.stats import binomtest

from cnnlab.export.mirror import failure
from cnnlab.quantities import percent, time_taken
from cnnlab.runs.ancestry import caveat
from cnnlab.runs.summary import how_tested
from cnnlab.training.config import last_epoch
from cnnlab.ui.shell import frame
from cnnlab.ui.shell.address import VIEW
from cnnlab.ui.shell.glossary_links import explain
from cnnlab.ui.shell.reasons import as_reason
from cnnlab.ui.train.forecast import judged_forecast
from cnnlab.ui.train.handing_in import handing_in
from cnnlab.ui.train.run_actions import run_actions
from cnnlab.ui.train.run_view import RunView
from cnnlab.ui.widgets.balanced_metrics import balanced_metrics
from cnnlab.ui.widgets.better_epoch import better_epoch


def result(view: RunView) -> None:
    """Show how a run ended, its figures where it was tested, and what comes next."""
    _ending(view)
    if reason := failure(view.run):
        st.caption(
            f":material/sync_problem: Not sent to MLflow: {frame.literal(reason)}. The app's next start tries again."
        )
    better_epoch(view.run, view.summary, view.history)
    if (accuracy := view.summary.test_accuracy) is not None:
        _figures(view, accuracy)
        handing_in(view.run)
        _what_next(view)
    run_actions(view.run)


def _ending(view: RunView) -> None:
    """Say why a run ended before its last epoch, and that nothing is lost."""
    summary, whole = view.summary, max(view.run.epochs(), default=0)
    last = last_epoch(view.config, summary.extensions)
    where = f"after {whole} of {last} epochs, which are kept. **Resume** continues from there."
    if summary.status == "failed":
        kept = "; its complete epochs are kept" if whole else ""
        st.error(as_reason(summary.error), title=f"This training failed{kept}")
    elif summary.status == "interrupted":
        st.warning(f"This training was interrupted {where}")
    elif summary.status == "stopped":
        told = where if whole else "during the first epoch: there is nothing to test."
        st.markdown(f":blue-badge[:material/stop_circle: Stopped] {told}")


def _figures(view: RunView, accuracy: float) -> None:
    summary = view.summary
    images = sum(summary.support.values())
    hits = round(accuracy * images)
    low, high = bounds = binomtest(hits, images).proportion_ci(method="wilson")
    with st.container(horizontal=True):
        st.metric(
            "Test accuracy",
            percent(accuracy, bounds),
            help=f"Weights of epoch {summary.epoch}. Measured in evaluation mode, without augmentation.",
        )
        if summary.is_imbalanced:
            balanced_metrics(summary.balanced_accuracy, summary.macro_f1)
        if not view.came_from_elsewhere:
            st.metric("Validation accuracy", f"{summary.validation_accuracy:.1%}")
            st.metric(
                "Train accuracy",
                f"{summary.train_accuracy:.1%}",
                help="Measured after training, without augmentation and dropout. The curve is measured during "
                "training, with both, so it can be lower.",
            )
            st.metric(
                "Training time",
                time_taken(summary.seconds or 0),
                help=f"{summary.images_per_second:,.0f} images/s on average.",
            )
    explain(
        f"{how_tested(summary, view.run.looks)}. 95% interval {percent(low, bounds)} to {percent(high, bounds)} "
        "(Wilson)."
    )
    judged_forecast(summary)
    if warning := caveat(view.run):
        st.caption(f":material/warning: {warning}.")


def _what_next(view: RunView) -> None:
    """Show the ways on from a tested run: try it, see where and why it errs, compare it."""
    with st.container(horizontal=True, gap="small"):
        if left_out := view.config.left_out:
            count = frame.counted(len(left_out), "image")
            frame.door("Inside", f"Did an answer turn without the {count} left out?", {VIEW.name: "Blame"})
        frame.link_to_draw(view.config.dataset, view.summary.classes)
        frame.door("Evaluate", "See its mistakes", {VIEW.name: "Mistakes"})
        frame.link("Inside", "Look inside")
        frame.link("Compare", "Compare runs")
