"""The drawing canvas: pen, undo and clear; the drawing survives a change of page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from cnnlab.drawings.example_digits import example_digits
from cnnlab.drawings.strokes import CANVAS, GROUND, INK, PEN, Drawing, DrawingError, from_canvas, to_canvas
from cnnlab.ui.shell.state import (
    CANVAS_DRAWN,
    CANVAS_GIVEN,
    CANVAS_LATEST,
    CANVAS_OUTDATED,
    CANVAS_PEN,
    CANVAS_REPORTED,
    CANVAS_TIMES,
)
from cnnlab.ui.widgets.component_files import joined

PENS = (8, 40)  # pixels, the thinnest and the thickest
_BOX = "canvas.box"

_label = st.components.v2.component("cnnlab_canvas_label", html="<span></span>", js=joined("canvas_label.js"))


def drawing_canvas(
    show_below: Callable[[Drawing | None], None] | None = None, has_pens: bool = True, has_examples: bool = True
) -> Drawing | None:
    """Show the canvas with its tools; return the drawing, None where it is empty.

    ``show_below`` shows something of the drawing between the two: on a phone, on the canvas's screen. ``has_pens``
    offers pens of other widths, ``has_examples`` ready-made digits. Without these the canvas begins empty, as what was
    drawn before may be one of them.
    """
    from streamlit_drawable_canvas import st_canvas  # noqa: PLC0415 - it looks for the running server when imported

    if not CANVAS_DRAWN.is_set:  # first time, or back from another page
        set_drawing(CANVAS_LATEST.get() if has_examples else None)
    st.space("small")  # the canvas's own toolbar floats above it
    with st.container(key=_BOX):
        result = st_canvas(
            stroke_width=CANVAS_PEN.get(),
            stroke_color=INK,
            background_color=GROUND,
            height=CANVAS,
            width=CANVAS,
            initial_drawing=CANVAS_GIVEN.get(),
            key=CANVAS_DRAWN.name,
        )
    CANVAS_REPORTED.put(result.json_data)
    if result.json_data != CANVAS_OUTDATED.get():
        CANVAS_LATEST.put(result.json_data)
        CANVAS_OUTDATED.drop()
    if show_below:
        show_below(current_drawing())
    strokes = _strokes()
    with st.container(horizontal=True):
        st.button("Undo", icon=":material/undo:", key="canvas.undo", on_click=_undo, disabled=not strokes)
        st.button("Clear", icon=":material/delete:", key="canvas.clear", on_click=set_drawing, disabled=not strokes)
        if has_examples:
            _examples()
    _name_canvas(" With the keyboard, choose a digit under Examples." if has_examples else "")
    if has_pens:
        st.slider("Pen, pixels", *PENS, PEN, 2, key=CANVAS_PEN.name, persist_state="session", width=CANVAS)
        st.caption(
            "With a mouse, tools appear above the canvas when you point at it. Their pencil moves strokes; click it "
            "again to draw.",
            width=CANVAS,
        )
    return current_drawing()


def _examples() -> None:
    """Offer ten drawn digits, so that no mouse is needed."""
    with st.popover("Examples", icon=":material/format_list_numbered:"), st.container(horizontal=True):
        for label, drawing in example_digits().items():
            content = to_canvas(drawing)
            st.button(label, key=f"canvas.example.{label}", on_click=set_drawing, args=[content])


def _name_canvas(without_mouse: str) -> None:
    """Name the canvas for those who do not see it, and say what to do ``without_mouse``."""
    told = f"Drawing canvas, for mouse, pen or finger.{without_mouse}"
    _label(data={"box": f"st-key-{_BOX.replace('.', '-')}", "label": told}, key="canvas.label")


def current_drawing() -> Drawing | None:
    """Return the session's drawing; None where there is none."""
    try:
        return from_canvas(CANVAS_LATEST.get())
    except DrawingError:  # not from our canvas: ignored
        return None


def set_drawing(content: dict[str, Any] | None = None) -> None:
    """Set the canvas to ``content``, by default empty; for callbacks."""
    CANVAS_TIMES.put(CANVAS_TIMES.get() + 1)
    CANVAS_OUTDATED.put(CANVAS_REPORTED.get())
    CANVAS_LATEST.put(content)
    CANVAS_GIVEN.put({"objects": [], **(content or {}), "times": CANVAS_TIMES.get()})


def _undo() -> None:
    set_drawing({**(CANVAS_LATEST.get() or {}), "objects": _strokes()[:-1]})


def _strokes() -> list[Any]:
    return list((CANVAS_LATEST.get() or {}).get("objects", []))
