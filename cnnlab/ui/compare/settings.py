"""Settings: the configs of the chosen runs, where they differ."""

from __future__ import annotations

import streamlit as st

from cnnlab.runs.comparison import settings_apart
from cnnlab.ui.compare.selection import Chosen


def show(chosen: Chosen) -> None:
    """Show a row per setting that differs."""
    apart = settings_apart(chosen.named)
    if apart.empty:
        st.info("None: these runs have the same settings, even the seed.", icon=":material/check:")
        return
    st.dataframe(apart.rename_axis("Setting"))
    st.caption("Settings that all runs share are left out.")
