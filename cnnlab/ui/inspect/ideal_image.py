"""Ideal image: an image optimised step by step to maximise a filter or a class."""

from __future__ import annotations

import streamlit as st
import torch

from cnnlab import charts
from cnnlab.analysis.activations import leaves, look
from cnnlab.analysis.feature_visualization import STEPS, Dream, maximise
from cnnlab.jobs.worker import Worker
from cnnlab.ui.shell import poll, session
from cnnlab.ui.shell.reasons import as_reason
from cnnlab.ui.shell.state import GROWING_IMAGE
from cnnlab.ui.views.view import Look
from cnnlab.ui.widgets.figure import show_figure, tidy

UPDATE_SECONDS = 0.5


def show(at: Look) -> None:
    """Choose a layer and a unit; show the image while it is optimised."""
    trained = at.trained
    blank = trained.inputs(torch.zeros(1, *trained.shape, dtype=torch.uint8))
    units = {name: seen.after.shape[1] for name, seen in look(trained.network, blank).items() if name in _shown(at)}
    last = list(units)[-1]
    left, middle, right = st.columns([2, 2, 1], vertical_alignment="bottom")
    layer = left.selectbox(
        "Layer", list(units), index=len(units) - 1, format_func=lambda name: "the classes" if name == last else name
    )
    unit = middle.selectbox(
        "Class" if layer == last else "Filter or feature",
        range(units[layer]),
        format_func=lambda number: trained.classes[number] if layer == last else str(number),
        key=f"inside.unit.{layer}",
    )
    asked = f"{at.at}.{layer}.{unit}"
    growing = GROWING_IMAGE.get()
    if right.button("Generate", type="primary", icon=":material/spa:", width="stretch"):
        if growing:
            growing[1].cancel()
        steps = maximise(trained.network, trained.shape, trained.standardise, layer, unit)
        growing = GROWING_IMAGE.put((asked, Worker(steps)))
    if not growing or growing[0] != asked:
        st.info(
            "Press **Generate**. The image starts as grey noise and excites this filter or class more and more.",
            icon=":material/spa:",
        )
        return
    _, work = growing
    poll.follow(lambda: work.is_running, UPDATE_SECONDS, _watch, work, asked)


def _watch(work: Worker[Dream], asked: str) -> None:
    """Show the progress, and the image so far."""
    dream = work.latest
    if work.error:
        st.error(as_reason(work.error), title="The image could not be generated")
    if work.is_running:
        session.watch(work)
        done = dream.step if dream else 0
        left, right = st.columns([5, 1], vertical_alignment="center")
        left.progress(done / STEPS, text=f"Step {done} of {STEPS}")
        right.button("Stop", on_click=work.cancel, icon=":material/stop_circle:", width="stretch")
    if dream is None:
        return
    pixels = (dream.image.permute(1, 2, 0) * 255).byte().numpy()  # (C, H, W) → (H, W, C)
    show_figure(
        charts.photo(pixels),
        f"ideal-{asked}",
        "The image so far",
        lambda: tidy(dream.image.numpy(), "channel", "row", "column"),
        f"After {dream.step} steps the mean activation is {dream.activation:.2f}. The image is moved a little and "
        "smoothed at each step (Olah et al. 2017). It shows what the unit responds to; people may not recognise it.",
    )


def _shown(at: Look) -> set[str]:
    """Select the layers to offer: convolutions, activations and linear layers."""
    skipped = ("Flatten", "Dropout", "MaxPool2d", "AvgPool2d", "Resize")
    return {name for name, module in leaves(at.trained.network).items() if type(module).__name__ not in skipped}
