"""Plotly's own script, handed out by this server, and the JavaScript that components of ours share."""

from __future__ import annotations

import shutil
from pathlib import Path

import plotly
import streamlit as st

from cnnlab.files import atomic_file

SCRIPT = f"plotly-{plotly.__version__}.min.js"

_HERE = Path(__file__).parent
_STATIC = _HERE.parents[2] / "static"


def javascript(name: str) -> str:
    """The component's script behind what it shares with the others."""
    return "\n".join((_HERE / f"{part}.js").read_text(encoding="utf-8") for part in ("plotly_element", name))


@st.cache_resource(show_spinner=False)
def publish_script() -> None:
    """Put Plotly's script where the server hands out static files."""
    target = _STATIC / SCRIPT
    if target.exists():
        return
    _STATIC.mkdir(exist_ok=True)
    with atomic_file(target) as aside:
        shutil.copyfile(Path(plotly.__file__).parent / "package_data" / "plotly.min.js", aside)
