"""Data sets that travel: a version downloaded as an archive, and an archive taken in."""

from __future__ import annotations

import streamlit as st

from cnnlab.data.pictures.archive import packed_bytes, unpack, write
from cnnlab.data.pictures.version import PictureSetError, Version
from cnnlab.files import through_file
from cnnlab.places import command
from cnnlab.ui.data import PLACE
from cnnlab.ui.shell.flash import say
from cnnlab.ui.shell.own_pictures import own_pictures
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
        help=f"This version with its pictures, to add elsewhere as a packed data set. Above {MAX_UPLOAD:,} MB, use "
        f"`{command()} data pack`.",
    )


def take_in() -> None:
    """Ask for an archive of a version, and add it."""
    st.caption("A data set downloaded under Versions or written by `data pack`. Runs trained on it find it.")
    file = st.file_uploader("A packed data set (.zip)", ["zip"], key=DATA_PACKED.name, max_upload_size=MAX_UPLOAD)
    st.button("Add data set", type="primary", icon=":material/add:", disabled=file is None, on_click=_take_in)


def _take_in() -> None:
    file = DATA_PACKED.get()
    if file is None:  # removed since the page was drawn
        return
    try:
        unpacked = unpack(file, own_pictures())
    except PictureSetError as error:
        say(PLACE, f"This data set could not be added: {error}.", "error")
        return
    DATA_CHOSEN.put(unpacked.version.key)
    said = "is added" if unpacked.is_new else "already exists and stays unchanged"
    say(PLACE, f"{unpacked.version} {said}.", "success")
