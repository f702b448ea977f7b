"""Which chapters the reader has read: kept in the browser, sent to the page, marked by a button."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from cnnlab.learn.chapters import CHAPTERS
from cnnlab.ui.shell.state import CHAPTERS_READ, READING
from cnnlab.ui.widgets.component_files import joined

_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "cnnlab_reading",
    html='<div class="reading"><button type="button" hidden></button></div>',
    css=(_HERE / "reading.css").read_text(encoding="utf-8"),
    js=joined("kept.js") + (_HERE / "reading.js").read_text(encoding="utf-8"),
)


def reading(chapter: str = "", finished: bool = False) -> None:
    """Have the browser say which chapters were read; show a button for ``chapter``, which is marked if ``finished``."""
    data = {"chapter": chapter, "finished": finished, "known": sorted(CHAPTERS_READ.get())}
    _component(data=data, key=READING.name, on_read_change=_take)


def _take() -> None:
    """Store what the browser says, which is not trusted."""
    names = getattr(READING.get(), "read", None)
    if isinstance(names, list):
        CHAPTERS_READ.put([name for name in CHAPTERS if name in names])
