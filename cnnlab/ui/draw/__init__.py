"""The parts of Draw: the canvas, the answers, why, and what one can teach."""

from __future__ import annotations

import numpy as np
import streamlit as st

from cnnlab import charts
from cnnlab.charts.png import inline
from cnnlab.digits import prepare, stroke_ink
from cnnlab.inference import load_trained
from cnnlab.runs import Run
from cnnlab.ui.canvas import drawing_canvas
from cnnlab.ui.pictures import enlarged


def draw_and_ask(run: Run) -> None:
    """The canvas, the image the network gets, and its answer."""
    paper, seen, answer = st.columns([3, 2, 4], gap="large")
    with paper:
        drawing = drawing_canvas()
    trained = load_trained(run)
    if drawing is None:
        with answer:
            st.info("Draw with the mouse or a finger: the answer comes when you lift the pen.", icon=":material/edit:")
        return
    image = prepare(stroke_ink(drawing), (trained.shape[1], trained.shape[2]))
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
