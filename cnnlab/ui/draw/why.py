"""Explanations of a prediction: the views that suit a drawing. Add a view to this list and the page shows it."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from cnnlab.runs.entry import Entry
from cnnlab.ui.shell import frame
from cnnlab.ui.shell.glossary_links import explain
from cnnlab.ui.shell.networks import trained_network
from cnnlab.ui.shell.state import SHOWN_REASON
from cnnlab.ui.views import attribution, feature_maps, nearest, smallest_change, strokes
from cnnlab.ui.views.view import Look, Picked, View

VIEWS: dict[str, View] = {
    "Strokes": View("Which strokes led to this answer? Each is erased in turn.", strokes.show, needs_image=True),
    "Attribution": View("Why this answer? The pixels that support a class.", attribution.show, needs_image=True),
    "Feature maps": View(
        "What does it see in your drawing? The feature maps of each layer.", feature_maps.show, needs_image=True
    ),
    "Nearest images": View("Which training images are most like yours?", nearest.show, needs_image=True),
    "Smallest change": View(
        "What is the smallest change to your drawing that changes the answer?", smallest_change.show, needs_image=True
    ),
}


def show_why(named: Mapping[str, Entry], picked: Picked) -> None:
    """Show one of the views, collapsed at first: a prediction must not wait for its explanation."""
    left, right = st.columns([7, 3], vertical_alignment="bottom")
    with left:
        view = st.segmented_control("Why this answer?", list(VIEWS), key="draw.why", persist_state="session")
    if view is None:
        return
    with right:
        name = st.selectbox("Run", list(named), key="draw.why.run") if len(named) > 1 else next(iter(named))
    run = named[name].run
    explain(VIEWS[view].question, view)
    with frame.place_of(SHOWN_REASON, view):
        VIEWS[view].show(Look(run, trained_network(run), run.epochs(), picked))
