"""What a training takes of the machine: two small charts below its curves."""

from __future__ import annotations

import streamlit as st

from cnnlab.charts.resources import memory, processor
from cnnlab.quantities import energy
from cnnlab.training.resources import joules
from cnnlab.ui.shell.glossary_links import explain
from cnnlab.ui.train.run_view import RunView
from cnnlab.ui.widgets.live_chart import growing_chart

LINE = 2  # points that a line needs
HEIGHT = 160  # pixels


def resources(view: RunView) -> None:
    """Show processor and memory side by side, once there are two samples of them."""
    samples = list(view.resources)  # the training adds to them meanwhile
    if len(samples) < LINE:
        return
    left, right = st.columns(2)
    for place, name, plot in ((left, "Processor", processor(samples)), (right, "Memory", memory(samples))):
        key = f"{name.lower()}.{len(plot['data'])}"
        with place:
            growing_chart(view.updates, plot, key, view.summary.id, f"{name} by seconds of training", HEIGHT)
    spent = joules(samples)
    explain(
        "Of the whole program on the server: other trainings at the same time are included. 100% is one core."
        + (f" The GPU took {energy(spent)} by its own counter." if spent is not None else "")
    )
