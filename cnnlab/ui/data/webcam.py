"""Pictures recorded with the camera, class by class."""

from __future__ import annotations

import streamlit as st

from cnnlab.data.pictures.collecting import Collection
from cnnlab.ui.data.found import OWN_NAMES, Found, clash
from cnnlab.ui.shell.state import DATA_RECORDED
from cnnlab.ui.widgets.recorder import recorder

ADVICE = (
    "Name a class, point the camera at it and hold its button. Record three bursts or more of each class, each before "
    "another background: one is kept to test on, so that what counts is the thing and not the room. A class “none”, of "
    "the empty room and of other things, lets a network say that it sees none of yours."
)


def webcam() -> Found:
    """Show the camera and what it recorded; return the pictures, and what they lack."""
    st.caption(ADVICE)
    collection = DATA_RECORDED.fill(Collection())
    error = clash(collection.names)
    recorder(collection, error)
    missing = [OWN_NAMES] if error else []
    if not collection.is_ready:
        missing.append("pictures of two classes")
    return Found(collection.source("the camera"), tuple(missing))
