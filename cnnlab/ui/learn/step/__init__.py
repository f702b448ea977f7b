"""Chapter: the training step, in slow motion, and how optimisers come down a loss."""

from __future__ import annotations

from importlib import import_module

import streamlit as st

PARTS = {  # title: module beside this one
    "One step in slow motion": "slow_motion",
    "Optimisers on a loss surface": "surface",
}


def show() -> None:
    """The part that is chosen; the address names it."""
    parts = list(PARTS)
    chosen = st.segmented_control(
        "Part", parts, default=parts[0], required=True, key="learn.step.part", bind="query-params"
    )
    import_module(f"cnnlab.ui.learn.step.{PARTS[chosen]}").show()
