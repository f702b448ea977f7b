"""The cost of a training step: bytes by layer and kind, images a second, and the parts of a step."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from cnnlab.charts.style import framed, plain
from cnnlab.palette import PALETTE

BAR = 26  # px, a layer's
_PARTS = ("forward", "backward", "update")
_MEASURES = {"trained": ("training", "solid"), "answered": ("inference", "dot")}


def bytes_by_layer(rows: pd.DataFrame) -> go.Figure:
    """Plot a bar for each layer, the first at the top, of the bytes in the other columns, stacked."""
    layers = [plain(name) for name in rows["layer"]]
    figure = go.Figure()
    for number, kind in enumerate(column for column in rows.columns if column != "layer"):
        figure.add_bar(
            y=layers,
            x=rows[kind],
            name=kind,
            orientation="h",
            marker_color=PALETTE[number],
            hovertemplate=f"%{{y}}, {kind}: %{{x:,}} bytes<extra></extra>",
        )
    figure.update_xaxes(title="bytes", tickformat="~s", ticksuffix="B", rangemode="tozero")
    figure.update_yaxes(autorange="reversed", type="category")
    return framed(figure).update_layout(barmode="stack", height=120 + BAR * len(layers), legend_traceorder="normal")


def images_a_second(rows: pd.DataFrame) -> go.Figure:
    """Plot columns trained and answered, in images a second, by batch_size: a colour a lane, both axes logarithmic."""
    figure = go.Figure()
    for number, (lane, points) in enumerate(rows.groupby("lane", sort=False)):
        for measure, (name, dash) in _MEASURES.items():
            figure.add_scatter(
                x=points["batch_size"],
                y=points[measure],
                name=f"{lane}: {name}",
                mode="lines+markers",
                line={"color": PALETTE[number], "dash": dash},
                hovertemplate=f"{lane}, {name}<br>batches of %{{x}}: %{{y:,.0f}} images/s<extra></extra>",
            )
    figure.update_xaxes(title="batch size, images", type="log", dtick=0.30103 * 2)  # every second power of two
    figure.update_yaxes(title="images/s", type="log", dtick="D2", tickformat="~s")
    return framed(figure).update_layout(height=400)


def step_parts(rows: pd.DataFrame) -> go.Figure:
    """Plot where a step's time for one image goes: columns forward, backward and update, in seconds, by batch_size."""
    figure = go.Figure()
    sizes = [f"{size:,}" for size in rows["batch_size"]]
    for number, part in enumerate(_PARTS):
        figure.add_bar(
            x=sizes,
            y=1e6 * rows[part] / rows["batch_size"],
            name=part,
            marker_color=PALETTE[number],
            customdata=1e3 * rows[part],
            hovertemplate=f"batches of %{{x}}, {part}<br>"
            "%{y:,.0f} µs an image, %{customdata:,.2f} ms a step<extra></extra>",
        )
    figure.update_xaxes(title="batch size, images", type="category")
    figure.update_yaxes(title="µs an image", rangemode="tozero")
    return framed(figure).update_layout(barmode="stack", height=340)
