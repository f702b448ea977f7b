"""Messages from callbacks, shown when the page is drawn next: a callback cannot draw anything itself."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from cnnlab.ui.shell.literal import literal
from cnnlab.ui.shell.reasons import as_reason

Kind = Literal["toast", "success", "warning", "error"]
LINK = "link"  # the place of what is wrong with a page's address: below its title

_ICONS = {
    "toast": ":material/info:",
    "success": ":material/check:",
    "warning": ":material/link_off:",
    "error": ":material/error:",
}


def say(place: str, text: str, kind: Kind = "toast") -> None:
    """Store ``text`` for the next ``tell`` of ``place``, shown literally; it replaces an earlier message."""
    st.session_state[_key(place)] = text, kind


def tell(place: str, icon: str = "", title: str | None = None) -> None:
    """Show the stored message once: a toast with ``icon``, a success, a warning, or an error below ``title``."""
    text, kind = st.session_state.pop(_key(place), ("", ""))
    if kind == "toast":
        st.toast(literal(text), icon=icon or _ICONS[kind])
    elif kind == "success":
        st.success(literal(text), icon=_ICONS[kind])
    elif kind == "warning":
        st.warning(literal(text), icon=_ICONS[kind])
    elif kind == "error":
        st.error(as_reason(text), icon=_ICONS[kind], title=title)


def _key(place: str) -> str:
    return f"flash.{place}"
