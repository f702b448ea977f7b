"""Messages from callbacks, shown when the page is drawn next: a callback cannot draw anything itself."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from cnnlab.ui.shell.literal import literal

Kind = Literal["toast", "success", "error"]

_ICONS = {"toast": ":material/info:", "success": ":material/check:", "error": ":material/error:"}


def say(place: str, text: str, kind: Kind = "toast") -> None:
    """Store ``text`` for the next ``tell`` of ``place``, shown literally; it replaces an earlier message."""
    st.session_state[_key(place)] = text, kind


def tell(place: str, icon: str = "", title: str | None = None) -> None:
    """Show the stored message once: a toast with ``icon``, a success, or an error below ``title``."""
    text, kind = st.session_state.pop(_key(place), ("", ""))
    if kind == "toast":
        st.toast(literal(text), icon=icon or _ICONS[kind])
    elif kind == "success":
        st.success(literal(text), icon=_ICONS[kind])
    elif kind == "error":
        st.error(literal(text), icon=_ICONS[kind], title=title)


def _key(place: str) -> str:
    return f"flash.{place}"
