"""A Plotly chart that keeps its zoom while its data change several times a second."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import plotly
import plotly.graph_objects as go
import streamlit as st

_STATIC = Path(__file__).parents[2] / "static"
_SCRIPT = f"plotly-{plotly.__version__}.min.js"

_component = st.components.v2.component(
    "cnnlab_live_chart",
    html='<div class="live-chart"></div>',
    js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
    isolate_styles=False,  # plotly puts its styles into the document
)


def live_chart(figure: go.Figure, key: str, revision: str, alt: str, height: int = 300) -> None:
    """Draw ``figure`` in place; zoom and hover survive updates as long as ``revision`` stays the same."""
    _publish_script()
    data = {"figure": figure.to_json(), "script": _SCRIPT, "revision": revision, "alt": alt, "height": height}
    _component(data=data, key=key, height=height)


@st.cache_resource(show_spinner=False)
def _publish_script() -> None:
    """Plotly's own script, where the server hands out static files."""
    target = _STATIC / _SCRIPT
    if target.exists():
        return
    _STATIC.mkdir(exist_ok=True)
    aside = target.with_suffix(f".{os.getpid()}.part")
    shutil.copyfile(Path(plotly.__file__).parent / "package_data" / "plotly.min.js", aside)
    aside.replace(target)
