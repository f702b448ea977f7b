"""Hyperparameters: every listed run as a line from its settings to its accuracy."""

from __future__ import annotations

import numpy as np
import streamlit as st

from cnnlab import charts
from cnnlab.runs.catalogue import settings_of
from cnnlab.ui.compare.selection import Chosen
from cnnlab.ui.widgets.figure import show_figure

_ACCURACY = "Validation"
MAX_AXES = 10
MAX_LINES = 500  # more would hide each other


def show(chosen: Chosen) -> None:
    """Show parallel coordinates of the settings that differ among the listed runs."""
    rows = chosen.listed.dropna(subset=[_ACCURACY])
    differing = [name for name in ("Data set", "Network", *settings_of(rows)) if rows[name].nunique() > 1]
    if len(rows) < 2 or not differing:
        st.info("List at least two runs with different settings above to see them as lines here.")
        return
    axes = st.multiselect("Settings", differing, differing[:MAX_AXES], max_selections=MAX_AXES)
    told = f"{len(rows):,} runs"
    if len(rows) > MAX_LINES:
        told = f"{MAX_LINES} of {told}, evenly spaced from worst to best"
        places = np.linspace(0, len(rows) - 1, MAX_LINES).round()
        rows = rows.sort_values(_ACCURACY).iloc[places.astype(int)]
    shown = rows[[*axes, _ACCURACY]].rename(columns={_ACCURACY: "Validation accuracy"})
    show_figure(
        charts.parallel_coordinates(shown, "Validation accuracy"),
        "hyperparameters",
        "Settings of the listed runs and their validation accuracy",
        lambda: shown.assign(run=rows["Run"]),
        f"{told}. More orange means higher validation accuracy. Use it to choose; test images give the final score. "
        "You choose the axes and their order above. Filter the list to see fewer lines.",
    )
