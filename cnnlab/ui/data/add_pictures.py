"""Adding pictures: files, the camera's or drawn ones, read in the background with progress."""

from __future__ import annotations

import re
from collections.abc import Generator
from pathlib import Path
from time import monotonic

import streamlit as st

from cnnlab.analysis.ood import NONE, is_none
from cnnlab.data.datasets import own_pictures
from cnnlab.data.pictures.adding import Progress, add
from cnnlab.data.pictures.assembling import Added, Colour, Options
from cnnlab.data.pictures.decoding import Fit
from cnnlab.data.pictures.drawn import USUAL_SIDE, drawings_source
from cnnlab.data.pictures.sources import BytesSource, FolderSource, Source, zip_source
from cnnlab.errors import CnnLabError
from cnnlab.jobs.worker import Worker
from cnnlab.ui.data import PLACE
from cnnlab.ui.data.drawings import draw
from cnnlab.ui.data.packed import MAX_UPLOAD, take_in
from cnnlab.ui.data.webcam import webcam
from cnnlab.ui.shell import poll, session
from cnnlab.ui.shell.flash import say
from cnnlab.ui.shell.frame import counted, literal
from cnnlab.ui.shell.state import DATA_ADDING, DATA_CHOSEN, DATA_CLASSES, class_name
from cnnlab.ui.widgets.format import rough_duration
from cnnlab.ui.widgets.image_file import ask_for_files

ZIP, FILES, WEBCAM = "ZIP archive", "Class by class", "Webcam"
DRAWINGS, FOLDER, PACKED = "Drawings", "Folder on this machine", "Packed data set"
MAX_FILES = 500  # by hand: a browser takes 35 s for 1,200
UPDATE_SECONDS = 0.5
NONE_HELP = (
    "A network always names one of its classes, whatever it sees. A class called “none” gives it a way out: pictures "
    "of all that is none of the others, such as the empty room, your hands and other things like yours. Plain noise or "
    "pictures of another kind do not help: they are too easily told apart."
)
COLOURS: dict[Colour, str] = {"auto": "as the pictures are", "rgb": "colour", "grey": "grey"}
FITS: dict[Fit, str] = {
    "crop": "cut to the middle square",
    "pad": "all of it, with black bars",
    "squash": "squeezed to a square",
}


def add_pictures() -> None:
    """Show the form to add pictures, or how far adding them is."""
    work = DATA_ADDING.get()
    if work and work.is_running:
        session.watch(work)
        poll.until_over(lambda: work.is_running, UPDATE_SECONDS, _watch, work)
        return
    with st.expander(
        "Add your own pictures", icon=":material/add_photo_alternate:", expanded=not own_pictures().names()
    ):
        _form()


def _form() -> None:
    ways = [way for way in (*_WAYS, PACKED) if way != FOLDER or _is_local()]
    way = st.segmented_control("From", ways, default=ZIP, required=True, key="data.way", help=NONE_HELP)
    if way == PACKED:
        take_in()
        return
    found = _WAYS[way]()
    options = _options(way)
    if options.name in own_pictures().names():
        st.caption("There is a data set of that name: this becomes its next version, and runs keep the one they had.")
    if st.button("Add", type="primary", icon=":material/add:", disabled=not (found and options.name)) and found:
        source = drawings_source(found, options.size or USUAL_SIDE) if isinstance(found, list) else found
        DATA_ADDING.put(Worker(_timed(source, options), threads=1))
        st.rerun()


def _options(way: str) -> Options:
    """Ask how pictures become a data set; its name is empty as long as there is none."""
    is_drawn = way == DRAWINGS
    left, right = st.columns(2)
    title = left.text_input("Name", key="data.name", max_chars=80, placeholder="My photos")
    size = right.selectbox(
        "Size",
        [None, 28, 32, 48, 64, 96, 128, 224],
        format_func=lambda size: f"{size}×{size} px" if size else "auto",
        key="data.size",
        help="What a network gets. Auto is 64, less where the pictures are smaller, and 28 for drawings.",
    )
    name = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40]
    if is_drawn:
        return Options(name=name, title=title, size=size, colour="grey", is_drawn=True)
    colour = left.selectbox("Colour", list(COLOURS), format_func=COLOURS.__getitem__, key="data.colour")
    fit = right.selectbox("Pictures that are no squares", list(FITS), format_func=FITS.__getitem__, key="data.fit")
    return Options(name=name, title=title, size=size, colour=colour, fit=fit)


def _timed(source: Source, options: Options) -> Generator[tuple[float, Progress | Added]]:
    """Add, telling with each step how many seconds have passed."""
    began = monotonic()
    for step in add(source, options, own_pictures()):
        yield monotonic() - began, step


def _zip() -> Source | None:
    st.caption(
        "A folder for each class, with or without train and test folders above; or pictures and a CSV of labels."
    )
    file = st.file_uploader("An archive of pictures (.zip)", ["zip"], key="data.zip", max_upload_size=MAX_UPLOAD)
    if not file:
        return None
    try:
        return zip_source(file, file.name)
    except CnnLabError as error:
        st.error(f"{literal(str(error))}.")
        return None


def _files() -> Source | None:
    """Ask for files of one class after another."""
    st.caption(f"Name a class and choose its pictures; at most {MAX_FILES} in all. For more, make a ZIP.")
    names = DATA_CLASSES.fill(["", ""])
    found: dict[str, bytes] = {}
    for number in range(len(names)):
        left, right = st.columns([1, 3])
        names[number] = left.text_input(f"Class {number + 1}", key=class_name(number).name, max_chars=80).strip()
        with right:
            files = ask_for_files("Its pictures", f"data.files.{number}")
        for at, file in enumerate(files):
            if names[number]:
                found[f"{names[number].replace('/', '-')}/{at:03}-{file.name}"] = file.getvalue()
    with st.container(horizontal=True):
        st.button("Another class", icon=":material/add:", type="tertiary", on_click=_add_class)
        if not any(map(is_none, names)):
            st.button("A class “none”", icon=":material/add:", type="tertiary", on_click=_add_class, args=[NONE])
    if len(found) > MAX_FILES:
        st.error(f"These are {len(found)} pictures, and {MAX_FILES} can be added like this: make a ZIP of them.")
        return None
    return BytesSource(found, "uploads") if found else None


def _add_class(name: str = "") -> None:
    names = DATA_CLASSES.get()
    class_name(len(names)).put(name)
    names.append(name)


def _folder() -> Source | None:
    path = st.text_input("Folder", key="data.folder", placeholder="/home/me/pictures").strip()
    if not path:
        return None
    if not Path(path).expanduser().is_dir():
        st.error("There is no such folder on this machine.")
        return None
    return FolderSource(Path(path).expanduser())


_WAYS = {ZIP: _zip, FILES: _files, WEBCAM: webcam, DRAWINGS: draw, FOLDER: _folder}


def _is_local() -> bool:
    """Tell whether the server can be reached from its own machine only, so that paths are the user's own."""
    return st.get_option("server.address") in ("localhost", "127.0.0.1", "::1")


def _watch(work: Worker[tuple[float, Progress | Added]]) -> None:
    left, right = st.columns([5, 1], vertical_alignment="center")
    seconds, step = work.latest or (0.0, Progress("reading", 0, 1))
    left.progress(step.done if isinstance(step, Progress) else 1.0, text=_said(seconds, step))
    right.button("Cancel", key="data.cancel", on_click=work.cancel, icon=":material/stop_circle:", width="stretch")


def _said(seconds: float, step: Progress | Added) -> str:
    if isinstance(step, Added) or step.doing == "storing":
        return "Storing"
    if step.doing == "comparing":
        return "Looking for pictures that are alike"
    if step.doing == "describing":
        return f"{step.number:,} of {counted(step.total, 'picture')} described"
    left = f", about {rough_duration(seconds / step.done - seconds)} left" if step.done > 0 else ""
    return f"{step.number:,} of {counted(step.total, 'picture')} read{left}"


def take_added() -> None:
    """Choose the data set that has just been added, and keep what came of it for ``tell``."""
    work = DATA_ADDING.get()
    if not work or work.is_running:
        return
    DATA_ADDING.drop()
    step = work.latest[1] if work.latest else None
    if work.error:
        say(PLACE, f"These pictures could not be added: {work.error}.", "error")
    elif isinstance(step, Added):
        DATA_CHOSEN.put(step.version.key)
        count = len(step.contents.refused)
        refused = f" {counted(count, 'file')} could not be used: see the report." if count else ""
        say(PLACE, f"{counted(len(step.rows), 'picture')} added.{refused}", "success")
    else:
        say(PLACE, "Cancelled: nothing was added.", "success")
