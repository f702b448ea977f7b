"""What a view says where a run has nothing to show in it: one sentence and one way out."""

from __future__ import annotations

import streamlit as st

from cnnlab.ui.shell.state import view_of


def nothing_to_show(sentence: str, page: str, view: str, label: str) -> None:
    """Show the sentence in a box, with a button that opens another view of the page."""
    with st.container(border=True):
        st.markdown(sentence)
        st.button(label, type="primary", key=f"{page}.way_out", on_click=lambda: _open(page, view))


def _open(page: str, view: str) -> None:
    view_of(page).put(view)
