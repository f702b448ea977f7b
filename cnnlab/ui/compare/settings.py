"""Settings: the configs of the chosen runs, where they differ."""

from __future__ import annotations

import streamlit as st

from cnnlab.runs.comparison import differences
from cnnlab.ui.compare.selection import Chosen


def show(chosen: Chosen) -> None:
    """Show a row per setting that differs."""
    apart = differences(chosen.named)
    if apart.empty:
        st.info("Nothing: these runs have the same settings, down to the seed.", icon=":material/check:")
        return
    st.dataframe(apart.rename_axis("Setting"))
    st.caption("Settings that all of them share are left out.")
