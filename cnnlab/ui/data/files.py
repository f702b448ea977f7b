"""Pictures in files: an archive, files class by class, a folder of this machine."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from cnnlab.analysis.ood import NONE, is_none
from cnnlab.data.pictures.collecting import cleaned
from cnnlab.data.pictures.sources import BytesSource, FolderSource, zip_source
from cnnlab.errors import CnnLabError
from cnnlab.ui.data.found import OWN_NAMES, Found, clash
from cnnlab.ui.data.packed import MAX_UPLOAD
from cnnlab.ui.shell.reasons import as_reason
from cnnlab.ui.shell.state import DATA_CLASSES, class_name
from cnnlab.ui.widgets.image_file import ask_for_files

MAX_FILES = 500  # by hand: a browser takes 35 s for 1,200


def archive() -> Found:
    """Ask for an archive of pictures."""
    st.caption("One folder per class, with or without train and test folders above. Or pictures and a CSV of labels.")
    file = st.file_uploader("An archive of pictures (.zip)", ["zip"], key="data.zip", max_upload_size=MAX_UPLOAD)
    if not file:
        return Found(missing=("an archive",))
    try:
        return Found(zip_source(file, file.name))
    except CnnLabError as error:
        st.error(as_reason(error))
        return Found(missing=("an archive that can be read",))


def class_by_class() -> Found:
    """Ask for files of one class after another."""
    st.caption(f"Name a class and choose its pictures, at most {MAX_FILES} in all. For more, upload a ZIP.")
    names = DATA_CLASSES.fill(["", ""])
    missing: list[str] = []
    found: dict[str, bytes] = {}
    for number in range(len(names)):
        left, right = st.columns([1, 3])
        key = class_name(number).name
        typed = left.text_input(f"Class {number + 1}", key=key, max_chars=80, persist_state="session")
        names[number] = cleaned(typed)
        with right:
            files = ask_for_files("Its pictures", f"data.files.{number}")
        if files and not names[number]:
            missing.append(f"a name for class {number + 1}")
        found |= {f"{names[number]}/{at:03}-{file.name}": file.getvalue() for at, file in enumerate(files)}
    with st.container(horizontal=True):
        st.button("Another class", icon=":material/add:", type="tertiary", on_click=_add_class)
        if not any(map(is_none, names)):
            st.button("A class “none”", icon=":material/add:", type="tertiary", on_click=_add_class, args=[NONE])
    if error := clash(names):
        st.error(as_reason(error))
        missing.append(OWN_NAMES)
    if len({path.partition("/")[0] for path in found}) < 2:
        missing.append("pictures of two classes")
    if len(found) > MAX_FILES:
        st.error(f"You chose {len(found)} pictures; at most {MAX_FILES} can be added this way. Upload a ZIP instead.")
        missing.append("fewer pictures")
    return Found(BytesSource(found, "uploads"), tuple(missing))


def _add_class(name: str = "") -> None:
    names = DATA_CLASSES.get()
    class_name(len(names)).put(name)
    names.append(name)


def folder() -> Found:
    """Ask for a folder of this machine."""
    path = st.text_input("Folder", key="data.folder", placeholder="/home/me/pictures").strip()
    if not path:
        return Found(missing=("a folder",))
    if not Path(path).expanduser().is_dir():
        st.error("There is no such folder on this machine.")
        return Found(missing=("a folder that exists",))
    return Found(FolderSource(Path(path).expanduser()))
