"""A network's answer to one image: the class, how sure it is or why not, and the probability of each class."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cnnlab import charts
from cnnlab.analysis.ood import Reading
from cnnlab.text import percent
from cnnlab.ui.shell.literal import literal
from cnnlab.ui.widgets.live_chart import live_chart


def show_answer(reading: Reading, classes: Sequence[str], run_id: str) -> None:
    """Show what a run's network makes of an image."""
    st.metric(
        "Not sure" if reading.doubt else "The network says",
        literal(f"{reading.said}?" if reading.doubt else reading.said),
        literal(reading.doubt or f"{percent(reading.certainty)} sure"),
        delta_color="off",
        delta_arrow="off",
        help="The bars show the network's own probabilities. It can look certain about a picture of no class. So *not "
        "sure* uses more: the distance from all training images. For photos also how weak the evidence is for "
        "every class; for digits a second network trained on non-digits. On Data you can add a class “none” to "
        "your own pictures. Networks trained on it can answer “none”.",
    )
    live_chart(
        charts.probability_bars(classes, reading.probabilities),
        f"probabilities.{run_id}",
        run_id,
        "Probability of each class",
        height=300,
    )
