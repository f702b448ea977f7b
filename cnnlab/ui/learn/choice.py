"""A choice within a chapter that the address names, so that a link leads to it."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from cnnlab.ui.shell.address import Param
from cnnlab.ui.shell.state import chapter_choice


def choose(parameter: str, label: str, titles: Mapping[str, str]) -> str:
    """Of ``titles``, by what the address calls them, the one that it names, else the first; drawn to be changed."""
    param, key = Param(parameter), chapter_choice(parameter)
    param.choice(titles, key, f"There is no such {parameter}: here is the first.")
    chosen = st.segmented_control(
        label,
        list(titles),
        format_func=titles.__getitem__,
        required=True,
        key=key.name,
        on_change=param.take,
        args=[key],
    )
    return chosen or next(iter(titles))
