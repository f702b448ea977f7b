"""A choice within a chapter that is part of the URL, so that links can lead to it."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from cnnlab.ui.shell.address import Param
from cnnlab.ui.shell.state import chapter_choice


def choose(parameter: str, label: str, titles: Mapping[str, str]) -> str:
    """Show a choice of ``titles``, by their names in the URL; return the one that the URL names, else the first."""
    param, key = Param(parameter), chapter_choice(parameter)
    param.choice(titles, key, "This link has a choice that does not exist: showing the first one.")
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
