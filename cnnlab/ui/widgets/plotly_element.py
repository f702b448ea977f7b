"""Plotly's script, served by this server."""

from __future__ import annotations

import shutil
from pathlib import Path

import plotly
import streamlit as st

from cnnlab.files import atomic_file
from cnnlab.places import app_folder

SCRIPT = f"plotly-{plotly.__version__}.min.js"

_STATIC = app_folder() / "static"


@st.cache_resource(show_spinner=False)
def publish_script() -> None:
    """Copy Plotly's script into the server's static files."""
    target = _STATIC / SCRIPT
    if target.exists():
        return
    _STATIC.mkdir(exist_ok=True)
    with atomic_file(target) as aside:
        shutil.copyfile(Path(plotly.__file__).parent / "package_data" / "plotly.min.js", aside)
