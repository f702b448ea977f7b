"""Test images in rows with true and predicted class; a click opens one."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from cnnlab import charts
from cnnlab.charts.png import inline
from cnnlab.charts.style import TILE_NAME, fitted
from cnnlab.evaluation.metrics import Answers, Integers
from cnnlab.runs.trained import test_split
from cnnlab.ui.shell import frame
from cnnlab.ui.shell.state import ERROR_IMAGE, view_of
from cnnlab.ui.views.image_picker import choose_test_image
from cnnlab.ui.views.view import Look
from cnnlab.ui.widgets.figure import opened, show_figure
from cnnlab.ui.widgets.images import enlarged, upright
from cnnlab.ui.widgets.run_picker import choose_run

SHOWN = 27
_LOOKS = ("Attribution", "Feature maps", "Layer by layer")


def gallery(look: Look, indices: Integers, found: Answers, name: str) -> None:
    """Show the first of ``indices``, each with true class, prediction and probability."""
    split = test_split(look.run)
    shown = indices[:SHOWN].tolist()
    classes = look.trained.classes
    probabilities = found.probabilities
    rows = [
        {
            "test image": index + 1,
            "true": classes[found.labels[index]],
            "answer": classes[found.named[index]],
            "probability": probabilities[index, found.named[index]],
            "loss": found.losses[index],
        }
        for index in shown
    ]
    short = fitted(classes, TILE_NAME)
    titles = [f"{short[row['true']]} → {short[row['answer']]}<br>{row['probability']:.0%}" for row in rows]
    show_figure(
        charts.tile_strip([upright(split.image(index)) for index in shown], titles, units=shown),
        f"gallery-{name}",
        "Test images with true class, answer and probability",
        lambda: pd.DataFrame(rows),
        f"{len(shown)} of {len(indices):,}: true class → answer, and the answer's probability. Click one to open it.",
        ERROR_IMAGE,
    )
    index = opened(ERROR_IMAGE, len(split))
    if index is not None:
        opened_image(look, index)


def opened_image(look: Look, index: int) -> None:
    """Show a clicked test image with links to the views of Inside."""
    split = test_split(look.run)
    name = look.trained.classes[int(split.labels[index])]
    picture, links = st.columns([1, 5], vertical_alignment="center")
    picture.image(inline(enlarged(split.image(index), side=112)), alt=f"Test image {index + 1}")
    with links:
        st.markdown(f"Test image {index + 1}, a **{frame.literal(name)}**. See why it answers so, on Inside:")
        with st.container(horizontal=True):
            for view in _LOOKS:
                inside_button(look, index, view, view)


def inside_button(look: Look, index: int, view: str, label: str, icon: str | None = None) -> None:
    """Show a button that leads to a view of Inside with this test image."""
    split = test_split(look.run)
    true = int(split.labels[index])
    number = int((split.labels[: index + 1] == true).sum())
    chosen = [look, view, look.trained.classes[true], number]
    if st.button(label, key=f"open.{label}.{look.run.id}", icon=icon, on_click=_choose, args=chosen):
        frame.go_to("Inside")


def _choose(look: Look, view: str, label: str, number: int) -> None:
    choose_run("inside.run", look.run)
    view_of("inside").put(view)
    choose_test_image(label, number)
