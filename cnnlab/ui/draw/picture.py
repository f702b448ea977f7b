"""A picture for networks of other things than drawn characters."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from cnnlab.catalogue import Entry
from cnnlab.digits import image_input, read_image
from cnnlab.strokes import DrawingError
from cnnlab.ui.draw.answers import follow_answers

_FILE, _WEBCAM = "File", "Webcam"


def show(named: Mapping[str, Entry]) -> None:
    """For the runs ``named``."""
    left, right = st.columns([4, 7], gap="large")
    with left:
        source = st.segmented_control("From", [_FILE, _WEBCAM], default=_FILE, required=True, key="picture.source")
        file = (
            st.file_uploader("A picture", ["png", "jpg", "jpeg", "webp", "bmp"], key="picture.file")
            if source == _FILE
            else st.camera_input("Take a picture", key="picture.webcam")
        )
    if file is None:
        right.info("Show it a picture of one of its classes, cut close.", icon=":material/add_photo_alternate:")
        return
    try:
        image = read_image(file.getvalue())
    except DrawingError as error:
        right.error(str(error), title="This picture cannot be read")
        return
    with left:
        st.image(image, alt="Your picture")
    with right:
        follow_answers(named, lambda shape: image_input(image, shape, is_drawn=False))
