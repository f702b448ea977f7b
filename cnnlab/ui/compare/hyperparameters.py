"""Hyperparameters: every listed run as a line through its settings to its accuracy."""

from __future__ import annotations

import streamlit as st

from cnnlab import charts
from cnnlab.catalogue import settings_of, table
from cnnlab.ui.compare.chosen import Chosen
from cnnlab.ui.views.look import show_figure

_ACCURACY = "Validation"
MAX_AXES = 10


def show(chosen: Chosen) -> None:
    """Parallel coordinates of the settings that differ among the listed runs."""
    rows = table(chosen.listed)
    if len(rows):
        rows = rows.dropna(subset=[_ACCURACY])
    differing = [name for name in ("Data set", "Network", *settings_of(rows)) if rows[name].nunique() > 1]
    if len(rows) < 2 or not differing:
        st.info("Here runs appear as lines once at least two with different settings are listed above.")
        return
    axes = st.multiselect("Settings", differing, differing[:MAX_AXES], max_selections=MAX_AXES)
    shown = rows[[*axes, _ACCURACY]].rename(columns={_ACCURACY: "Validation accuracy"})
    show_figure(
        charts.parallel_coordinates(shown, "Validation accuracy"),
        "hyperparameters",
        "Settings of the listed runs and their validation accuracy",
        lambda: shown.assign(run=rows["Run"]),
        f"{len(rows):,} runs; colour is validation accuracy, which steers: the test images are for the end. Draw along "
        "an axis to keep only the runs that cross there, move an axis by its name.",
    )
