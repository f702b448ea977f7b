"""A Plotly chart that keeps its zoom while its data change several times a second."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st
from plotly.io.json import to_json_plotly

from cnnlab.charts import Plot
from cnnlab.charts.style import PLOT_HEIGHT
from cnnlab.ui.widgets.chart_updates import ChartUpdates
from cnnlab.ui.widgets.component_files import joined
from cnnlab.ui.widgets.plotly_element import SCRIPT, publish_script

_component = st.components.v2.component(
    "cnnlab_live_chart",
    html='<div class="live-chart"></div>',
    js=joined("plotly_element.js", "live_chart.js"),
    isolate_styles=False,  # plotly puts its styles into the document
)


def live_chart(figure: go.Figure | Plot, key: str, revision: str, alt: str, height: int = PLOT_HEIGHT) -> None:
    """Draw ``figure`` in place; zoom and hover survive updates as long as ``revision`` stays the same."""
    publish_script()
    written = figure.to_json() if isinstance(figure, go.Figure) else to_json_plotly(figure)
    data = {"figure": written, "script": SCRIPT, "revision": revision, "alt": alt, "height": height}
    _component(data=data, key=key, height=height)


def growing_chart(updates: ChartUpdates, plot: Plot, key: str, revision: str, alt: str, height: int) -> None:
    """Draw ``plot`` as ``live_chart`` does, and send only what is new of it; a browser that missed some gets it all."""
    publish_script()
    update = updates.next(key, plot)
    data = {
        "figure": to_json_plotly(update.plot),
        "version": update.version,
        "after": update.after,
        "script": SCRIPT,
        "revision": revision,
        "alt": alt,
        "height": height,
    }
    _component(data=data, key=key, height=height, on_missed_change=lambda: updates.forget(key))
