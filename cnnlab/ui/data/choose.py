"""The choice of a data set, and its numbers."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cnnlab.data.datasets import DATASETS
from cnnlab.data.spec import DatasetSpec
from cnnlab.ui.shell.address import DATASET, is_new, note
from cnnlab.ui.shell.frame import distinct_labels, door
from cnnlab.ui.shell.own_pictures import may_train_on
from cnnlab.ui.shell.state import DATA_CHOSEN


def choose_dataset(place: DeltaGenerator) -> DatasetSpec:
    """Show all data sets at ``place``, the one in the address first, and here the numbers of the chosen one."""
    specs = dict(DATASETS.items())
    named = DATASET.value()
    seen = [named] if named and named in DATASETS and may_train_on(named) else []
    asked = DATASET.asked(seen, "The data set in this link does not exist here. Choose one below.")
    if asked and is_new("data", asked):
        DATA_CHOSEN.put(DATASETS[asked].name)
    if DATA_CHOSEN.get() not in specs:
        own = [name for name, spec in specs.items() if spec.digest]
        latest = [name for name in own if name.partition("@")[0] == DATA_CHOSEN.get().partition("@")[0]]
        DATA_CHOSEN.put([next(iter(specs)), *own, *latest][-1])  # the first of all needs no download
    titles = distinct_labels({name: spec.title for name, spec in specs.items()})
    name = place.selectbox(
        "Data set",
        list(specs),
        format_func=titles.__getitem__,
        key=DATA_CHOSEN.name,
    )
    if asked != name:
        DATASET.put(name)
        note("data", name)
    spec = specs[name]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.metric("Training pictures", f"{spec.sizes[0]:,}")
        st.metric("Test pictures", f"{spec.sizes[1]:,}")
        st.metric("Classes", f"{len(spec.classes):,}")
        channels, height, width = spec.shape
        st.metric("Size", f"{width}×{height} px", help=f"{'In colour' if channels > 1 else 'In grey'}.")
        # A network from scratch needs far more photos than people have.
        recipe = {"recipe": "transfer"} if spec.digest and not spec.is_drawn else {}
        door("Train", "Train a network on it", {**recipe, "dataset": name})
    return spec
