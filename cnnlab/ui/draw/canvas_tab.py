"""The canvas beside the answers, what became of the drawing on its way, and why it was read so."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from cnnlab.drawings.preprocess import prepared, stroke_ink
from cnnlab.runs.catalogue import Entry
from cnnlab.ui.draw.predictions import follow_answers, prepare_answers
from cnnlab.ui.draw.steps import show_steps
from cnnlab.ui.draw.teaching import teach_this
from cnnlab.ui.draw.why import show_why
from cnnlab.ui.shell import frame
from cnnlab.ui.views.view import Picked
from cnnlab.ui.widgets.canvas import drawing_canvas


@st.fragment  # a stroke runs this, not the whole page
@frame.errors_shown()
def show(named: Mapping[str, Entry]) -> None:
    """For the runs ``named``."""
    first = next(iter(named.values()))
    paper, answers = st.columns([4, 7], gap="large")
    with paper:
        drawing = drawing_canvas()
    if drawing is None:
        with answers:
            st.info("Draw: the answer comes when you lift the pen.", icon=":material/edit:")
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
    """(height, width) of the images that the run's network gets."""
    return entry.summary.shape[1:]
