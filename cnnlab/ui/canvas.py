"""The drawing canvas, kept when the page is left, and what a network makes of the drawing."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st
from streamlit_drawable_canvas import st_canvas
from torch import Tensor

from cnnlab import charts
from cnnlab.charts.png import inline
from cnnlab.digits import CANVAS, PEN, DrawingError, canvas_ink, prepare
from cnnlab.inference import load_trained
from cnnlab.layers import Shape
from cnnlab.runs import Run
from cnnlab.ui.pictures import enlarged

_MOUNT = "canvas.mount"  # counts up to empty the canvas: a new key is a new canvas
_LATEST = "canvas.latest"  # the drawing as fabric.js JSON
_PIXELS = "canvas.pixels"  # the same as RGBA; a canvas that was mounted anew sends none until it is drawn on
_INITIAL = "canvas.initial"  # what the mounted canvas began with; changing it would reset the drawing


@st.fragment
def draw_and_ask(run: Run) -> None:
    """The canvas, the image the network gets, and its answer."""
    paper, seen, answer = st.columns([3, 2, 4], gap="large")
    with paper:
        st.space("small")  # the canvas's own toolbar floats above it
        _drawing_canvas()
    trained = load_trained(run)
    image = drawn_image(trained.shape)
    if image is None:
        with answer:
            st.info("Draw with the mouse or a finger: the answer comes when you lift the pen.", icon=":material/edit:")
        return
    probabilities = trained.probabilities(image)[0].tolist()
    best = int(np.argmax(probabilities))
    height, width = image.shape[2:]
    with seen:
        st.image(inline(enlarged(image[0], side=196)), alt="The drawing as the network sees it")
        st.caption(f"What the network sees: {width}×{height} pixels, cropped, scaled and centred as its training data.")
    with answer:
        st.metric(
            "The network says",
            trained.classes[best],
            f"{probabilities[best]:.1%} sure",
            delta_color="off",
            delta_arrow="off",
        )
        st.plotly_chart(
            charts.probability_bars(trained.classes, probabilities).update_layout(height=300),
            key="probabilities",
            alt="Probability of each class",
        )


def drawn_image(shape: Shape) -> Tensor | None:
    """The session's drawing as a network for ``shape`` gets it: (1, 1, H, W) uint8; None where there is none."""
    pixels = st.session_state.get(_PIXELS)
    if pixels is None:
        return None
    try:
        return prepare(canvas_ink(pixels), (shape[1], shape[2]))
    except DrawingError:  # the canvas is there, but empty
        return None


def _drawing_canvas() -> None:
    """The canvas, whose RGBA pixels (CANVAS, CANVAS, 4) are kept from the first stroke on."""
    state = st.session_state
    key = f"canvas.{state.setdefault(_MOUNT, 0)}"
    if key not in state:  # first time, or back from another page
        state[_INITIAL] = state.get(_LATEST)
    result = st_canvas(
        stroke_width=PEN,
        stroke_color="#ffffff",
        background_color="#000000",
        height=CANVAS,
        width=CANVAS,
        initial_drawing=state[_INITIAL],
        return_image_data=True,
        key=key,
    )
    state[_LATEST] = result.json_data
    st.button("Clear", icon=":material/delete:", on_click=_clear)
    if result.image_data is not None:
        state[_PIXELS] = result.image_data


def _clear() -> None:
    state: Any = st.session_state
    state[_MOUNT] += 1
    state[_LATEST] = state[_PIXELS] = None
