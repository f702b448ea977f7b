"""The learning-rate finder below the form: a button, the ramp's curve, and its suggestion to take over."""

from __future__ import annotations

from typing import Any

import streamlit as st
import torch

from cnnlab import charts
from cnnlab.architectures import ArchitectureError
from cnnlab.config import ConfigError, RunConfig
from cnnlab.data import DatasetError, load_for
from cnnlab.finder import STEPS, ramp, suggest
from cnnlab.training import TrainingError
from cnnlab.turns import threads_each
from cnnlab.ui.forms import set_learning_rate
from cnnlab.ui.literal import literal

_REPLACED = {"learning_rate": 1.0, "epochs": 1, "schedule": "constant", "early_stopping": 0}  # by the ramp's own
_FOUND = "finder.found"  # {the config's JSON: points}, of the settings last asked about


def learning_rate_finder(config: RunConfig) -> None:
    """Offer a ramp of rising learning rates for ``config``; show what it found for these settings."""
    asked = config.model_copy(update=_REPLACED).model_dump_json()
    if st.button(
        "Find a learning rate",
        icon=":material/trending_up:",
        width="stretch",
        help="Trains a fresh network for a few seconds on rising rates and shows where the loss falls. Keeps no run.",
    ):
        st.session_state[_FOUND] = {asked: _climb(config)}
    points: list[Any] = st.session_state.get(_FOUND, {}).get(asked, [])
    if not points:
        return
    suggestion = float(f"{suggest(points):.2g}")
    st.plotly_chart(
        charts.learning_rate_ramp(points, suggestion).update_layout(height=260),
        key="finder.curve",
        alt="Loss against learning rate",
    )
    st.caption(
        "On the left the steps are too small to learn, on the right too large to stay. The suggestion is a tenth of "
        "the largest rate at which the loss is still near its lowest."
    )
    st.button(
        f"Use {suggestion:g}",
        icon=":material/check:",
        width="stretch",
        on_click=set_learning_rate,
        args=[suggestion],
        disabled=config.learning_rate == suggestion,
    )


def _climb(config: RunConfig) -> list[Any]:
    """The ramp's points, with progress; empty, and the reason shown, where the data cannot be had."""
    torch.set_num_threads(threads_each())
    bar = st.progress(0.0, text="Trying rising learning rates")
    points = []
    try:
        for point in ramp(load_for(config), config):
            points.append(point)
            bar.progress(min(point.step / STEPS, 1.0), text=f"Trying learning rate {point.learning_rate:.2g}")
    except (ArchitectureError, ConfigError, DatasetError, TrainingError) as error:
        st.error(literal(str(error)), title="The finder could not start")
    bar.empty()
    return points
