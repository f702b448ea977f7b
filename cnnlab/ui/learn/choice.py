"""A choice within a chapter that the address names, so that a link leads to it."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st


def choose(parameter: str, label: str, titles: Mapping[str, str]) -> str:
    """Of ``titles``, by what the address calls them, the one that it names, else the first; drawn to be changed."""
    asked, key, first = st.query_params.get(parameter), f"learn.chosen.{parameter}", next(iter(titles))
    if asked and asked not in titles:
        st.warning(f"There is no such {parameter}: here is the first.", icon=":material/link_off:")
    st.session_state[key] = asked if asked in titles else first
    chosen = st.segmented_control(
        label,
        list(titles),
        format_func=titles.__getitem__,
        required=True,
        key=key,
        on_change=lambda: st.query_params.update({parameter: st.session_state[key]}),
    )
    return chosen or first
