"""Settings: what the chosen runs were told differently."""

from __future__ import annotations

import streamlit as st

from cnnlab.runs.comparison import differences
from cnnlab.ui.compare.selection import Chosen


def show(chosen: Chosen) -> None:
    """A row a setting that is not the same in all."""
    apart = differences(chosen.named)
    if apart.empty:
        st.info("Nothing: these runs have the same settings, down to the seed.", icon=":material/check:")
        return
    st.dataframe(apart.rename_axis("Setting"))
    st.caption("Settings that all of them share are left out.")
