"""The canvas beside the predictions, the preparation of the drawing step by step, and the explanations."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from cnnlab.drawings.preprocess import prepared, stroke_ink
from cnnlab.runs.entry import Entry
from cnnlab.ui.draw.predictions import follow_answers, prepare_answers
from cnnlab.ui.draw.steps import show_steps
from cnnlab.ui.draw.teaching import teach_this
from cnnlab.ui.draw.why import show_why
from cnnlab.ui.shell import frame
from cnnlab.ui.views.pen_answers import pen_answers, pen_engine
from cnnlab.ui.views.view import Picked
from cnnlab.ui.widgets.canvas import drawing_canvas


def show(named: Mapping[str, Entry]) -> None:
    """Show the canvas and the predictions of the runs ``named``."""
    _show(named)
    pen_engine(named)


@st.fragment  # a stroke reruns this, not the whole page
@frame.errors_shown()
def _show(named: Mapping[str, Entry]) -> None:
    first = next(iter(named.values()))
    paper, answers = st.columns([4, 7], gap="large")
    with paper:
        drawing = drawing_canvas(lambda drawn: pen_answers(named, drawn))
    if drawing is None:
        with answers:
            st.info("After you lift the pen: how sure each network is, and why.", icon=":material/edit:")
            prepare_answers(named)
        return
    ink = stroke_ink(drawing)
    with answers:
        preparations = {size: prepared(ink, size) for size in {_size(entry) for entry in named.values()}}
        steps = preparations[_size(first)]
        follow_answers(named, lambda entry: preparations[_size(entry)].image, steps.suspicion)
        teach_this(drawing, first.run, first.summary.classes)
        show_steps(steps)
    show_why(named, Picked(steps.image, "Your drawing", drawing))


def _size(entry: Entry) -> tuple[int, ...]:
    """Return (height, width) of the run's input images."""
    return entry.summary.shape[1:]
