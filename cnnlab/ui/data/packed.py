"""Data sets that travel: a version downloaded as an archive, and an archive taken in."""

from __future__ import annotations

import streamlit as st

from cnnlab.data.datasets import own_pictures
from cnnlab.data.pictures.archive import packed_bytes, unpack, write
from cnnlab.data.pictures.version import PictureSetError, Version
from cnnlab.files import through_file
from cnnlab.places import command
from cnnlab.ui.data import PLACE
from cnnlab.ui.shell.flash import say
from cnnlab.ui.shell.state import DATA_CHOSEN, DATA_PACKED

MB = 1_000_000  # bytes
MAX_UPLOAD = 2_000  # MB of an archive


def download_version(version: Version) -> None:
    """Show a button that downloads a version with its pictures. Raises PictureSetError where it is damaged."""
    size = packed_bytes(own_pictures(), version)
    st.download_button(
        f"Download version {version.number}, {max(1, round(size / MB)):,} MB",
        lambda: through_file(lambda file: write(own_pictures(), version, file), own_pictures().folder),
        f"{version.name}-{version.number}.zip",
        "application/zip",
        icon=":material/download:",
        on_click="ignore",
        disabled=size > MAX_UPLOAD * MB,
        help="This version with its pictures, to add elsewhere as a packed data set. "
        f"One of more than {MAX_UPLOAD:,} MB is packed by `{command()} data pack`.",
    )


def take_in() -> None:
    """Ask for an archive of a version, and add it."""
    st.caption("A data set as Versions downloads it, or `data pack` writes it: runs that were trained on it find it.")
    file = st.file_uploader("A packed data set (.zip)", ["zip"], key=DATA_PACKED.name, max_upload_size=MAX_UPLOAD)
    st.button("Take in", type="primary", icon=":material/add:", disabled=file is None, on_click=_take_in)


def _take_in() -> None:
    file = DATA_PACKED.get()
    if file is None:  # removed since the page was drawn
        return
    try:
        unpacked = unpack(file, own_pictures())
    except PictureSetError as error:
        say(PLACE, f"This could not be taken in: {error}.", "error")
        return
    DATA_CHOSEN.put(unpacked.version.key)
    said = "is added" if unpacked.is_new else "was here already and stays as it is"
    say(PLACE, f"{unpacked.version} {said}.", "success")
