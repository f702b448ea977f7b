"""The class's own test set: ten digits that each person draws, and how networks read each writer's."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from cnnlab.charts.png import inline
from cnnlab.classroom.assignment import Assignment
from cnnlab.classroom.board_table import writers_table
from cnnlab.data.table import DIGITS
from cnnlab.drawings.preprocess import prepare, stroke_ink
from cnnlab.drawings.strokes import DrawingError, LabelledDrawing
from cnnlab.text import file_name
from cnnlab.ui.classroom.board import rows_of
from cnnlab.ui.classroom.digit_readings import read_digits
from cnnlab.ui.shell import classroom, person
from cnnlab.ui.shell.flash import say, tell
from cnnlab.ui.shell.frame import counted, with_article
from cnnlab.ui.shell.state import CLASS_FORGOTTEN, CLASS_REDRAWN
from cnnlab.ui.widgets.canvas import current_drawing, drawing_canvas, set_drawing
from cnnlab.ui.widgets.figure import download_table
from cnnlab.ui.widgets.images import enlarged
from cnnlab.ui.widgets.undo import offer_undo

_PLACE = "class.digits"
_SIDE = 56  # pixels of a small picture
_SIZE = 28, 28  # pixels of what networks see


def show(assignment: Assignment) -> None:
    """Show the canvas, or one's ten digits, beside the accuracy by writer."""
    drawing, reading = st.columns([4, 7], gap="large")
    with drawing:
        _draw(_whole(_own()))
    with reading:
        _by_writer(assignment)


@st.fragment  # a stroke reruns this, not the whole page
def _draw(beside: Mapping[str, LabelledDrawing]) -> None:
    """Show what to draw next, and what is saved; ``beside`` is what the table beside was made of."""
    own = _own()
    if _whole(own) != beside:
        st.rerun()
    missing = [label for label in DIGITS if label not in own]
    again = CLASS_REDRAWN.get()
    tell(_PLACE)
    if forgotten := CLASS_FORGOTTEN.get():
        told = f"Removed: {counted(len(forgotten), 'digit')}."
        offer_undo(told, "class.digit.undo", _put_back, forgotten)
    if again in own:
        st.markdown(f"**Draw {with_article(int(again))} again.** The saved one stays until you save this one.")
        _canvas(again, f"Save this {again}")
        st.button("Cancel", type="tertiary", on_click=CLASS_REDRAWN.drop, key="class.digit.cancel")
    elif missing:
        st.markdown(f"**Draw {with_article(int(missing[0]))}** as you usually write it. {len(own)} of 10 are saved.")
        _canvas(missing[0], "Save the last digit" if len(missing) == 1 else "Save, next digit")
    else:
        st.markdown("**You have drawn your ten digits.** Networks are tested on them.")
    _mine(own)
    if own:
        st.button(
            "Draw all again", icon=":material/delete_sweep:", type="tertiary", on_click=_again, key="class.digit.again"
        )


def _own() -> dict[str, LabelledDrawing]:
    return classroom.digits().of(person.me().id)


def _whole(own: dict[str, LabelledDrawing]) -> dict[str, LabelledDrawing]:
    """Return what networks are judged by: ten digits or none."""
    return own if len(own) == len(DIGITS) else {}


def _canvas(label: str, save: str) -> None:
    """Show the canvas for a digit, and the button that saves it."""
    drawing = drawing_canvas(has_pens=False, has_examples=False)
    st.button(
        save,
        icon=":material/check:",
        type="primary",
        key="class.digit.save",
        on_click=_save,
        args=[label],
        disabled=drawing is None,
    )


def _mine(own: dict[str, LabelledDrawing]) -> None:
    """Show the saved digits, each with the button to draw it once more."""
    with st.container(horizontal=True, gap="small"):
        for label in sorted(own):
            image = prepare(stroke_ink(own[label]), _SIZE)[0]
            with st.container(width=_SIDE, gap="xxsmall", horizontal_alignment="center"):
                st.image(inline(enlarged(image, side=_SIDE)), alt=f"Your {label}", width=_SIDE)
                st.button(
                    label,
                    icon=":material/refresh:",
                    type="tertiary",
                    help="Draw this one again",
                    on_click=_redraw,
                    args=[label],
                    key=f"class.digit.again.{label}",
                )


def _redraw(label: str) -> None:
    CLASS_REDRAWN.put(label)
    set_drawing()


def _save(label: str) -> None:
    drawing = current_drawing()
    if drawing is None:
        return
    try:
        classroom.digits().put(person.me().id, drawing, label)
    except (DrawingError, OSError) as error:
        say(_PLACE, str(error), "error")
    else:
        CLASS_REDRAWN.drop()
        set_drawing()


def _again() -> None:
    CLASS_REDRAWN.drop()
    own = _own()
    try:
        classroom.digits().forget(person.me().id)
        CLASS_FORGOTTEN.put(own)
    except OSError as error:
        say(_PLACE, str(error), "error")


def _put_back(own: dict[str, LabelledDrawing]) -> None:
    CLASS_FORGOTTEN.drop()
    try:
        classroom.digits().put_back(person.me().id, own)
    except OSError as error:
        say(_PLACE, str(error), "error")


def _by_writer(assignment: Assignment) -> None:
    """Show how many of each writer's digits the networks on the board read right."""
    rows = rows_of(assignment)
    writers, readings = read_digits(assignment, rows)
    if not writers:
        st.info("Nobody has drawn ten digits yet. Draw yours.", icon=":material/draw:")
        return
    if not rows:
        st.info(f"Ten digits each of {counted(len(writers), 'writer')}. Results appear when a run is handed in.")
        return
    if not readings:
        return
    table = writers_table(rows, person.names(), writers, readings)
    figures = {name: st.column_config.NumberColumn(format="percent") for name in table.columns[1:]}
    st.markdown("**Digits read right, by writer**")
    st.dataframe(table.round(3), hide_index=True, column_config=figures, width="stretch", placeholder="–")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"{counted(len(writers), 'writer')}, ten digits each; the hardest to read come first. A network that was "
            "taught drawings has no figure for those who drew them.",
            width="stretch",
        )
        download_table(lambda: table, f"writers-{file_name(assignment.title)}")
