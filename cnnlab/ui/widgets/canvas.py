"""The drawing canvas: pen, undo and clear; what is drawn is kept when its page is left."""

from __future__ import annotations

from typing import Any

import streamlit as st

from cnnlab.drawings.strokes import CANVAS, GROUND, INK, PEN, Drawing, DrawingError, from_canvas

PENS = (8, 40)  # pixels, the thinnest and the thickest

_LATEST = "canvas.latest"  # the drawing as the canvas tells it
_GIVEN = "canvas.given"  # what the canvas was told to show; changing it redraws
_TIMES = "canvas.times"  # how often: the same drawing given again is a change too
_REPORTED = "canvas.reported"  # what the canvas told last
_OUTDATED = "canvas.outdated"  # what it told before it was given something else, and tells until that arrived
_PEN = "canvas.pen"


def drawing_canvas() -> Drawing | None:
    """The canvas with its tools; what is drawn on it, None where that is nothing."""
    from streamlit_drawable_canvas import st_canvas  # noqa: PLC0415 - it looks for the running server when imported

    state = st.session_state
    if "canvas" not in state:  # first time, or back from another page
        give(state.get(_LATEST))
    st.space("small")  # the canvas's own toolbar floats above it
    result = st_canvas(
        stroke_width=state.get(_PEN, PEN),
        stroke_color=INK,
        background_color=GROUND,
        height=CANVAS,
        width=CANVAS,
        initial_drawing=state[_GIVEN],
        key="canvas",
    )
    state[_REPORTED] = result.json_data
    if result.json_data != state.get(_OUTDATED):
        state[_LATEST] = result.json_data
        state.pop(_OUTDATED, None)
    strokes = _strokes()
    with st.container(horizontal=True):
        st.button("Undo", icon=":material/undo:", key="canvas.undo", on_click=_undo, disabled=not strokes)
        st.button("Clear", icon=":material/delete:", key="canvas.clear", on_click=give, disabled=not strokes)
    st.slider("Pen, pixels", *PENS, PEN, 2, key=_PEN, persist_state="session", width=CANVAS)
    st.caption("The pencil above the canvas moves strokes instead of drawing; click it again to draw.", width=CANVAS)
    return drawn()


def drawn() -> Drawing | None:
    """The session's drawing; None where there is none."""
    try:
        return from_canvas(st.session_state.get(_LATEST))
    except DrawingError:  # not from our canvas: as good as nothing
        return None


def give(content: dict[str, Any] | None = None) -> None:
    """Have the canvas show ``content``, by default nothing; for callbacks."""
    state = st.session_state
    state[_TIMES] = state.get(_TIMES, 0) + 1
    state[_OUTDATED] = state.get(_REPORTED)
    state[_LATEST] = content
    state[_GIVEN] = {"objects": [], **(content or {}), "times": state[_TIMES]}


def _undo() -> None:
    give({**st.session_state[_LATEST], "objects": _strokes()[:-1]})


def _strokes() -> list[Any]:
    return list((st.session_state.get(_LATEST) or {}).get("objects", []))
