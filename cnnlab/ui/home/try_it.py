"""A canvas and the network that comes with the app: it answers, and shows its feature maps, while one draws."""

from __future__ import annotations

import streamlit as st

from cnnlab.drawings.strokes import Drawing
from cnnlab.runs.entry import Entry
from cnnlab.ui.shell import frame
from cnnlab.ui.views.pen_answers import pen_answers, pen_engine, pen_maps
from cnnlab.ui.widgets.canvas import drawing_canvas


def try_it(example: Entry) -> None:
    """Show the canvas with the network's answer below it, and its feature maps beside it."""
    paper, maps = st.columns([4, 7], gap="large")
    with paper:
        _paper(example)
    with maps:
        st.markdown("**What its layers find in your drawing**")
        pen_maps()
    pen_engine({example.title: example})


@st.fragment  # a stroke reruns this, not the whole page
@frame.errors_shown()
def _paper(example: Entry) -> None:
    def answer(drawing: Drawing | None) -> None:
        pen_answers({example.title: example}, drawing)

    drawing_canvas(answer, has_pens=False)
