"""The way back after something was removed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st


def offer_undo(what: str, key: str, undo: Callable[..., None], *args: Any) -> None:
    """Say what was removed, and show the button that calls ``undo`` with ``args``."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(what, width="content")
        st.button("Undo", icon=":material/undo:", type="tertiary", on_click=undo, args=args, key=key)
