"""Drawings of the canvas, class by class, as pictures of a data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from cnnlab.charts.png import inline
from cnnlab.data.pictures.collecting import cleaned
from cnnlab.data.pictures.layout import FEWEST_A_CLASS
from cnnlab.drawings.preprocess import prepare, stroke_ink
from cnnlab.drawings.strokes import Drawing, rounded
from cnnlab.training.config import MAX_LESSONS
from cnnlab.ui.data.found import OWN_NAMES, Found, clash
from cnnlab.ui.shell import drawings
from cnnlab.ui.shell.frame import counted, literal
from cnnlab.ui.shell.reasons import as_reason
from cnnlab.ui.shell.state import DATA_DRAWN_CLASS, DRAWINGS, DRAWINGS_CHANGED
from cnnlab.ui.widgets.canvas import drawing_canvas, set_drawing
from cnnlab.ui.widgets.images import enlarged

MAX_LABEL = 40  # characters
SHOWN = 12  # drawings of a class, the latest
SIDE = 48  # pixels


def draw() -> Found:
    """Show the canvas and what was drawn so far; return the drawings, and what they lack."""
    st.caption(
        "Name a class, draw it and save the drawing. Ten drawings per class are a start. Drawings you labelled on "
        "Draw are here too."
    )
    _canvas_and_classes()
    by_class = _by_class()
    enough = [label for label, texts in by_class.items() if len(texts) >= FEWEST_A_CLASS]
    chosen = enough
    if len(enough) > 1:
        chosen = st.multiselect("Classes of the data set", enough, default=enough, key=f"data.drawn.{len(enough)}")
    error = clash(chosen)
    if error:
        st.error(as_reason(error))
    missing = [OWN_NAMES] if error else []
    if len(chosen) < 2:
        missing.append(f"two classes of {FEWEST_A_CLASS} drawings or more")
    return Found([lesson for lesson in drawings.lessons() if lesson.label in chosen], tuple(missing))


@st.fragment  # a stroke reruns this, not the whole page
def _canvas_and_classes() -> None:
    if DRAWINGS_CHANGED.take():
        st.rerun()  # the rest of the form counts them
    left, right = st.columns([4, 7], gap="large")
    with left:
        drawing = drawing_canvas()
    with right:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.text_input(
                "Class",
                key=DATA_DRAWN_CLASS.name,
                max_chars=MAX_LABEL,
                placeholder="star",
                width=240,
                persist_state="session",
            )
            label = cleaned(DATA_DRAWN_CLASS.get())
            st.button(
                "Keep",
                icon=":material/add:",
                disabled=not (drawing and label and len(drawings.kept()) < MAX_LESSONS),
                on_click=_keep,
                args=[drawing],
            )
        if len(drawings.kept()) >= MAX_LESSONS:
            st.caption(f"You can keep at most {MAX_LESSONS} drawings: remove one first.")
        for number, (label, texts) in enumerate(_by_class().items()):
            _show_class(number, label, texts)


def _show_class(number: int, label: str, texts: Sequence[str]) -> None:
    """Show the latest drawings of a class."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"**{literal(label)}**, {counted(len(texts), 'drawing')}")
        st.button("Remove last", key=f"data.drawn.remove.{number}", type="tertiary", on_click=_remove, args=[texts[-1]])
    with st.container(horizontal=True, gap="xsmall"):
        for text in texts[-SHOWN:]:
            st.image(_picture(text), width=SIDE, alt=literal(f"A drawing of {label}"))


@st.cache_data(max_entries=2 * MAX_LESSONS, show_spinner=False)
def _picture(text: str) -> str:
    return inline(enlarged(prepare(stroke_ink(Drawing.model_validate_json(text)))[0], SIDE))


def _by_class() -> Mapping[str, list[str]]:
    """List the drawings of each class, oldest first."""
    found: dict[str, list[str]] = {}
    for text, label in drawings.kept().items():
        found.setdefault(label, []).append(text)
    return found


def _keep(drawing: Drawing) -> None:
    if label := cleaned(DATA_DRAWN_CLASS.get()):  # as typed: the page may not have been drawn since
        drawings.keep(drawings.text_of(rounded(drawing)), label)
        set_drawing()
        DRAWINGS_CHANGED.put(True)


def _remove(text: str) -> None:
    DRAWINGS.put({known: label for known, label in drawings.kept().items() if known != text})
    DRAWINGS_CHANGED.put(True)
