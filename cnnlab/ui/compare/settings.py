"""Settings: the configs of the chosen runs, where they differ."""

from __future__ import annotations

import streamlit as st

from cnnlab.data.datasets import dataset_title
from cnnlab.runs.comparison import differences
from cnnlab.training.config import field_title
from cnnlab.ui.compare.selection import Chosen
from cnnlab.ui.widgets.config_inputs import title


def show(chosen: Chosen) -> None:
    """Show a row per setting that differs."""
    apart = differences(chosen.named)
    if apart.empty:
        st.info("None: these runs have the same settings, even the seed.", icon=":material/check:")
        return
    shown = apart.map(title).rename(index={name: field_title(name.replace(" ", "_")) for name in apart.index})
    if "dataset" in apart.index:
        shown.loc["Dataset"] = apart.loc["dataset"].map(dataset_title)
    st.dataframe(shown.rename_axis("Setting"))
    st.caption("Settings that all runs share are left out.")
