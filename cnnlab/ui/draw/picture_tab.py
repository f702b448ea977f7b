"""An uploaded picture, for networks that classify other things than drawn characters."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from cnnlab.runs.entry import Entry
from cnnlab.runs.trained import seen_by
from cnnlab.ui.draw.predictions import follow_answers
from cnnlab.ui.shell.frame import literal
from cnnlab.ui.widgets.image_file import ask_for_file_or_webcam, read_or_say


def show(named: Mapping[str, Entry]) -> None:
    """Show the upload and the predictions of the runs ``named``."""
    left, right = st.columns([4, 7], gap="large")
    with left:
        file = ask_for_file_or_webcam("A picture", "Take a picture", "picture")
    if file is None:
        right.info(
            "Choose a picture of one of its classes, cropped close to the object.",
            icon=":material/add_photo_alternate:",
        )
        return
    with right:
        picture = read_or_say(file)
    if picture is None:
        return
    inputs = {entry.id: seen_by(entry.run, picture) for entry in named.values()}
    with left:
        st.image(picture, alt="Your picture")
        for name, entry in named.items():
            whose = f"{literal(name)}: " if len(named) > 1 else ""
            for change in inputs[entry.id].changes:
                st.caption(f"{whose}{change}")
    with right:
        follow_answers(named, lambda entry: inputs[entry.id].image)
