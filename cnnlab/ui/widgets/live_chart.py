"""A Plotly chart that keeps its zoom while its data change several times a second."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

from cnnlab.charts.style import PLOT_HEIGHT
from cnnlab.ui.widgets.component_files import joined
from cnnlab.ui.widgets.plotly_element import SCRIPT, publish_script

_component = st.components.v2.component(
    "cnnlab_live_chart",
    html='<div class="live-chart"></div>',
    js=joined("plotly_element.js", "live_chart.js"),
    isolate_styles=False,  # plotly puts its styles into the document
)


def live_chart(figure: go.Figure, key: str, revision: str, alt: str, height: int = PLOT_HEIGHT) -> None:
    """Draw ``figure`` in place; zoom and hover survive updates as long as ``revision`` stays the same."""
    publish_script()
    data = {"figure": figure.to_json(), "script": SCRIPT, "revision": revision, "alt": alt, "height": height}
    _component(data=data, key=key, height=height)
