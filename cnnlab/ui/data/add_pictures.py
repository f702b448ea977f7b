"""Adding pictures: files, the camera's or drawn ones, read in the background with progress."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Sequence
from time import monotonic

import streamlit as st

from cnnlab.data.pictures.adding import Progress, add
from cnnlab.data.pictures.assembling import Added, Colour, Options
from cnnlab.data.pictures.decoding import Fit
from cnnlab.data.pictures.drawn import USUAL_SIDE, drawings_source
from cnnlab.data.pictures.sources import Source
from cnnlab.data.pictures.version import Version
from cnnlab.drawings.strokes import LabelledDrawing
from cnnlab.jobs.worker import Worker
from cnnlab.quantities import estimate
from cnnlab.ui.data import PLACE
from cnnlab.ui.data.changed import tell_change
from cnnlab.ui.data.drawings import draw
from cnnlab.ui.data.files import archive, class_by_class, folder
from cnnlab.ui.data.found import Found
from cnnlab.ui.data.packed import take_in
from cnnlab.ui.data.webcam import webcam
from cnnlab.ui.shell import person, poll, session
from cnnlab.ui.shell.flash import say
from cnnlab.ui.shell.frame import counted, literal
from cnnlab.ui.shell.own_pictures import own_pictures
from cnnlab.ui.shell.state import (
    DATA_ADDED_FROM,
    DATA_ADDING,
    DATA_CHOSEN,
    DATA_CLASSES,
    DATA_DRAWN_CLASS,
    DATA_NAME,
    DATA_RECORDED,
    class_name,
)
from cnnlab.ui.widgets.quota_room import is_full

ZIP, FILES, WEBCAM = "ZIP archive", "Class by class", "Webcam"
DRAWINGS, FOLDER, PACKED = "Drawings", "Folder on this machine", "Packed data set"
UPDATE_SECONDS = 0.5
NONE_HELP = (
    "A network always answers with one of its classes, whatever it sees. A class called “none” lets it answer "
    "otherwise. Give it pictures of things that belong to no other class: the empty room, your hands, similar "
    "objects. Noise or quite different pictures do not help: they are too easy to tell apart."
)
COLOURS: dict[Colour, str] = {"auto": "same as the pictures", "rgb": "colour", "grey": "grey"}
FITS: dict[Fit, str] = {
    "crop": "crop to the middle square",
    "pad": "fit, with black bars",
    "squash": "stretch to a square",
}


def add_pictures() -> None:
    """Show the form to add pictures, or how far adding them is."""
    work = DATA_ADDING.get()
    if work and work.is_running:
        session.watch(work)
        poll.until_over(lambda: work.is_running, UPDATE_SECONDS, _watch, work)
        return
    begun = next((way for way, waits in _WAITING.items() if waits()), "")
    with st.expander("Add your own pictures", icon=":material/add_photo_alternate:", expanded=bool(begun)):
        _form(begun or ZIP)


def _form(first: str) -> None:
    if is_full():
        return
    ways = [way for way in (*_WAYS, PACKED) if way != FOLDER or _is_local()]
    way = st.segmented_control("From", ways, default=first, required=True, key="data.way", help=NONE_HELP)
    if way == PACKED:
        take_in()
        return
    found = _WAYS[way]()
    options = _options(way)
    if options.name in own_pictures().names() and own_pictures().is_ours(options.name):
        st.caption("A data set has this name: this becomes its next version. Runs keep the version they used.")
    missing = _missing(found, options)
    with st.container(horizontal=True, vertical_alignment="center"):
        is_clicked = st.button("Add", type="primary", icon=":material/add:", disabled=bool(missing))
        if missing:
            st.caption(f"Missing: {literal(', '.join(missing))}.")
    if is_clicked and not missing and found.source:
        DATA_ADDED_FROM.put(way)
        begin(add(_source(found.source, options), options, own_pictures()))
        st.rerun()


def begin(steps: Iterable[Progress | Added | Version]) -> None:
    """Begin to add pictures in the background."""
    DATA_ADDING.put(Worker(_timed(steps), threads=1))


def _missing(found: Found, options: Options) -> list[str]:
    """List what is needed before pictures can be added."""
    if not options.title:
        return [*found.missing, "a name for the data set"]
    if not own_pictures().is_ours(options.name):
        return [*found.missing, "another name: this one is taken"]
    return [*found.missing] if options.name else [*found.missing, "a letter from a to z or a digit in the name"]


def _source(found: Source | Sequence[LabelledDrawing], options: Options) -> Source:
    return drawings_source(found, options.size or USUAL_SIDE) if isinstance(found, Sequence) else found


def _options(way: str) -> Options:
    """Ask how pictures become a data set; its name is empty as long as there is none."""
    is_drawn = way == DRAWINGS
    left, right = st.columns(2)
    title = left.text_input(
        "Name", key=DATA_NAME.name, max_chars=80, placeholder="My photos", persist_state="session"
    ).strip()
    size = right.selectbox(
        "Size",
        [None, 28, 32, 48, 64, 96, 128, 224],
        format_func=lambda size: f"{size}×{size} px" if size else "auto",
        key="data.size",
        help="The size a network gets. Auto is 64, less for smaller pictures, and 28 for drawings.",
    )
    name = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40]
    if is_drawn:
        return Options(name=name, title=title, size=size, colour="grey", is_drawn=True)
    colour = left.selectbox("Colour", list(COLOURS), format_func=COLOURS.__getitem__, key="data.colour")
    fit = right.selectbox("Pictures that are not square", list(FITS), format_func=FITS.__getitem__, key="data.fit")
    return Options(name=name, title=title, size=size, colour=colour, fit=fit)


def _timed(steps: Iterable[Progress | Added | Version]) -> Generator[tuple[float, Progress | Added | Version]]:
    """Add, telling with each step how many seconds have passed."""
    began = monotonic()
    for step in steps:
        yield monotonic() - began, step


_WAYS: dict[str, Callable[[], Found]] = {
    ZIP: archive,
    FILES: class_by_class,
    WEBCAM: webcam,
    DRAWINGS: draw,
    FOLDER: folder,
}
# Whether something was begun there that is not added yet.
_WAITING: dict[str, Callable[[], bool]] = {
    WEBCAM: lambda: DATA_RECORDED.get().waits,
    DRAWINGS: lambda: bool(DATA_DRAWN_CLASS.get()),
    FILES: lambda: any(DATA_CLASSES.get()),
}


def _is_local() -> bool:
    """Tell whether the server is the user's own and reached from its own machine only, so that paths are theirs."""
    return not person.is_class() and st.get_option("server.address") in ("localhost", "127.0.0.1", "::1")


def _watch(work: Worker[tuple[float, Progress | Added | Version]]) -> None:
    left, right = st.columns([5, 1], vertical_alignment="center")
    seconds, step = work.latest or (0.0, Progress("reading", 0, 1))
    left.progress(step.done if isinstance(step, Progress) else 1.0, text=_said(seconds, step))
    right.button("Cancel", key="data.cancel", on_click=work.cancel, icon=":material/stop_circle:", width="stretch")


def _said(seconds: float, step: Progress | Added | Version) -> str:
    if not isinstance(step, Progress) or step.doing == "storing":
        return "Storing"
    if step.doing == "comparing":
        return "Looking for similar pictures"
    if step.doing == "describing":
        return f"{step.number:,} of {counted(step.total, 'picture')} described"
    left = f", {estimate(seconds / step.done - seconds)} left" if step.done > 0 else ""
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
        _settle(DATA_ADDED_FROM.take())
        count = len(step.contents.refused)
        refused = f" {counted(count, 'file')} could not be used: see Report." if count else ""
        say(PLACE, f"{counted(len(step.rows), 'picture')} added.{refused}", "success")
    elif isinstance(step, Version):
        tell_change(step)
    else:
        say(PLACE, "Cancelled: nothing was added.", "success")


def _settle(way: str) -> None:
    """Note that nothing waits any more where pictures were added from; recordings and drawings stay, for more."""
    DATA_NAME.drop()
    if way == WEBCAM:
        DATA_RECORDED.get().waits = False
    elif way == DRAWINGS:
        DATA_DRAWN_CLASS.drop()
    elif way == FILES:
        for number in range(len(DATA_CLASSES.take())):
            class_name(number).drop()
