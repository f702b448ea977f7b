"""Pictures recorded with the camera, class by class."""

from __future__ import annotations

import streamlit as st

from cnnlab.data.pictures.collecting import Collection
from cnnlab.data.pictures.sources import Source
from cnnlab.ui.shell.state import DATA_RECORDED
from cnnlab.ui.widgets.recorder import recorder

ADVICE = (
    "Name a class, point the camera at it and hold its button. Record three bursts or more of each class, each before "
    "another background: one is kept to test on, so that what counts is the thing and not the room. A class “none”, of "
    "the empty room and of other things, lets a network say that it sees none of yours."
)


def webcam() -> Source | None:
    """Show the camera and what it recorded; return the pictures once two classes have some."""
    st.caption(ADVICE)
    collection = DATA_RECORDED.fill(Collection())
    recorder(collection)
    return collection.source("the camera") if collection.is_ready else None
