"""The images within a loop that was drawn around points of the embedding."""

from __future__ import annotations

from collections import Counter
from math import ceil

import pandas as pd
import streamlit as st

from cnnlab import charts
from cnnlab.charts.style import TILE_NAME, fitted
from cnnlab.runs.trained import test_split
from cnnlab.ui.shell import frame
from cnnlab.ui.shell.literal import literal
from cnnlab.ui.shell.state import LOOPED_IMAGES, OPENED_IMAGE
from cnnlab.ui.views.view import Look
from cnnlab.ui.widgets.figure import show_figure
from cnnlab.ui.widgets.images import upright

SHOWN = 27


def looped_images(look: Look, count: int) -> None:
    """Show the images of the loop among the first ``count`` test images, counted by class; else how to draw one."""
    chosen = [index for index in LOOPED_IMAGES.get() if index < count]
    if not chosen:
        st.caption(":material/gesture: In two dimensions: draw a loop around points to see their images.")
        return
    split, classes = test_split(look.run), look.trained.classes
    chosen.sort(key=lambda index: int(split.labels[index]))
    labels = split.labels[chosen].tolist()
    with st.container(horizontal=True, vertical_alignment="center"):
        told = ", ".join(f"{literal(classes[label])}: {images}" for label, images in Counter(labels).most_common())
        st.markdown(f"**{frame.counted(len(chosen), 'image')} in the loop.** {told}", width="content")
        st.button("Clear", icon=":material/close:", key="inside.loop.clear", on_click=LOOPED_IMAGES.drop)
    shown = chosen[:: ceil(len(chosen) / SHOWN)]  # of each class its share
    short = fitted(classes, TILE_NAME)
    titles = [short[classes[int(split.labels[index])]] for index in shown]
    more = f" {len(shown)} of {len(chosen):,} are shown." if len(shown) < len(chosen) else ""
    show_figure(
        charts.tile_strip([upright(split.image(index)) for index in shown], titles, units=shown),
        f"loop-{look.at}",
        "The test images in the loop, with their classes",
        lambda: pd.DataFrame({"test image": [index + 1 for index in chosen], "class": [classes[at] for at in labels]}),
        f"Each image with its true class. Click one to open it.{more}",
        OPENED_IMAGE,
    )
