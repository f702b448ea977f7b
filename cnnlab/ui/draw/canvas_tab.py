"""The canvas beside the answers, what became of the drawing on its way, and why it was read so."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from cnnlab.drawings.preprocess import prepare, prepared, stroke_ink
from cnnlab.runs.catalogue import Entry
from cnnlab.runs.trained import load_trained
from cnnlab.ui.draw.predictions import follow_answers, prepare_answers
from cnnlab.ui.draw.steps import show_steps
from cnnlab.ui.draw.teaching import teach_this
from cnnlab.ui.inspect import DRAW, Look
from cnnlab.ui.shell import frame
from cnnlab.ui.widgets.canvas import drawing_canvas
from cnnlab.ui.widgets.glossary_links import linked
from cnnlab.ui.widgets.view import Picked


@st.fragment  # a stroke runs this, not the whole page
@frame.telling()
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
        steps = prepared(ink, first.summary.shape[1:])
        follow_answers(named, lambda entry: prepare(ink, entry.summary.shape[1:]), steps.suspicion)
        teach_this(drawing, first.run, first.summary.classes)
        show_steps(steps)
    _why(named, Picked(steps.image, "Your drawing", drawing))


def _why(named: Mapping[str, Entry], picked: Picked) -> None:
    """One of the views, closed until it is asked for: an answer shall not wait for its reasons."""
    left, right = st.columns([7, 3], vertical_alignment="bottom")
    with left:
        view = st.segmented_control("Why did it answer so?", list(DRAW), key="draw.why", persist_state="session")
    if view is None:
        return
    with right:
        name = st.selectbox("Which run", list(named), key="draw.why.run") if len(named) > 1 else next(iter(named))
    run = named[name].run
    st.caption(linked(DRAW[view].question, view))
    with frame.place_of("draw.why.shown", view):
        DRAW[view].show(Look(run, load_trained(run), run.epochs(), picked))
