"""Accuracy by the number of pictures a class, a line for each way to learn from them."""

from __future__ import annotations

from math import log10

import pandas as pd
import plotly.graph_objects as go

from cnnlab.charts.style import PERCENT, framed
from cnnlab.palette import PALETTE

COLOURS = {"from scratch": PALETTE[1], "frozen": PALETTE[0], "fine-tuned": PALETTE[2]}
_APART = 1.02  # factor between the ways' points, so that their error bars do not hide each other
_MARGIN = 1.3  # factor beyond the fewest and the most pictures


def by_number(points: pd.DataFrame) -> go.Figure:
    """Plot mean ± standard deviation against the number of pictures, on a logarithmic axis.

    ``points`` has columns way, number, mean and sd (fractions, NaN for one seed), the fewest pictures first.
    """
    figure = go.Figure()
    for place, (way, colour) in enumerate(COLOURS.items()):
        own = points[points["way"] == way]
        if own.empty:
            continue
        figure.add_trace(
            go.Scatter(
                x=own["number"] * _APART ** (place - 1),
                y=own["mean"],
                error_y={"array": own["sd"].fillna(0), "thickness": 2, "width": 6},
                customdata=own["number"],
                name=way,
                mode="lines+markers",
                line={"color": colour, "width": 3},
                marker={"size": 9},
                hovertemplate="%{customdata} a class: %{y:.1%}<extra>" + f"{way}</extra>",
            )
        )
    numbers = sorted(set(points["number"]))
    figure.update_xaxes(
        title="pictures a class",
        type="log",
        range=[log10(numbers[0] / _MARGIN), log10(numbers[-1] * _MARGIN)],
        tickvals=numbers,
        ticktext=[str(number) for number in numbers],
    )
    figure.update_yaxes(title="validation accuracy", tickformat=PERCENT)
    return framed(figure.update_layout(showlegend=True))
