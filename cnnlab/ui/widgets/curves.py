"""What curves of trainings share: the legend above a pair of charts, and the scale of the loss."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from cnnlab.ui.shell.literal import literal
from cnnlab.ui.shell.state import LOG_LOSS

_SWATCH = '<span style="display: block; width: 12px; height: 12px; border-radius: 3px; background: {}"></span>'


def log_loss() -> bool:
    """Show the switch that makes the axis of the loss logarithmic, for all curves of the session."""
    return st.toggle(
        "Logarithmic loss", key=LOG_LOSS.name, persist_state="session", help="Shows how small losses still fall"
    )


def legend(colours: Mapping[str, str]) -> None:
    """Show the numbers that lines have at their ends, with colour and name."""
    with st.container(horizontal=True, gap="small"):
        for number, (name, colour) in enumerate(colours.items(), 1):
            with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", width="content"):
                st.html(_SWATCH.format(colour), width="content")
                st.markdown(f":small[**{number}** {literal(name)}]", width="content")
