"""Input of a picture, as a file or from the webcam."""

from __future__ import annotations

import streamlit as st
from PIL import Image
from streamlit.runtime.uploaded_file_manager import UploadedFile

from cnnlab.drawings.images import SUFFIXES, read_picture
from cnnlab.drawings.strokes import DrawingError
from cnnlab.ui.shell.reasons import as_reason

_FILE, _WEBCAM = "File", "Webcam"


def ask_for_file(label: str, key: str, max_upload: int | None = None) -> UploadedFile | None:
    """Show an uploader for every supported image format, of at most ``max_upload`` MB."""
    return st.file_uploader(label, SUFFIXES, key=key, max_upload_size=max_upload)


def ask_for_files(label: str, key: str) -> list[UploadedFile]:
    """Show an uploader for several files of every supported image format."""
    return st.file_uploader(label, SUFFIXES, key=key, accept_multiple_files=True)


def ask_for_file_or_webcam(
    label: str, webcam_label: str, key: str, max_upload: int | None = None
) -> UploadedFile | None:
    """Show an uploader of at most ``max_upload`` MB and a webcam input; the widgets' keys begin with ``key``."""
    source = st.segmented_control("From", [_FILE, _WEBCAM], default=_FILE, required=True, key=f"{key}.source")
    if source == _WEBCAM:
        return st.camera_input(webcam_label, key=f"{key}.webcam")
    return ask_for_file(label, f"{key}.file", max_upload)


def read_or_say(file: UploadedFile) -> Image.Image | None:
    """Read the picture as RGB and upright; show the reason and return None where it cannot be read."""
    try:
        return read_picture(file.getvalue())
    except DrawingError as error:
        st.error(as_reason(error), title="This picture cannot be read")
        return None
