"""The curves of a run, its classes, and its answers to a few validation images."""

from __future__ import annotations

from functools import partial

import streamlit as st

from cnnlab import charts
from cnnlab.ui.shell.glossary_links import explain
from cnnlab.ui.shell.state import LOG_LOSS
from cnnlab.ui.train.run_view import RunView
from cnnlab.ui.train.samples import samples
from cnnlab.ui.widgets.curves import log_loss
from cnnlab.ui.widgets.live_chart import growing_chart

LINE = 2  # points that a line needs
HEIGHT, CLASSES = 220, 140  # pixels of a chart
_MIXED = " With mixed images, an answer counts by the share of its class. So train accuracy stays low; that is normal."


def curves(view: RunView) -> None:
    """Show them side by side, as far as they are known."""
    history, summary = view.history, view.summary
    if view.came_from_elsewhere:
        return
    if not history.epochs and len(history.steps) < LINE:
        samples(view)
        return
    log = LOG_LOSS.get()
    plots = charts.live(history, summary.classes, view.stem, log)
    chart = partial(growing_chart, view.updates)
    left, right = st.columns(2)
    with left:
        chart(plots["loss"], "loss", f"{summary.id}.{log}", "Train and validation loss by epoch", HEIGHT)
    with right:
        chart(plots["accuracy"], "accuracy", summary.id, "Train and validation accuracy by epoch", HEIGHT)
    samples(view)
    if "per-class" in plots:
        chart(plots["per-class"], "per-class", summary.id, "Validation accuracy of each class", CLASSES)
    log_loss()
    explain(
        "The thin line follows the batches. Train is measured during training, with augmentation and dropout, so it "
        "can lie below validation. Validation images guide your choices; test images give the final score."
        + _MIXED
        * bool(view.config.mixup or view.config.cutmix)
    )
