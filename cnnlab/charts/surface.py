"""A loss of two parameters as contours, and the paths of optimisers on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np
import plotly.graph_objects as go

from cnnlab.charts.style import Numbers, framed, log_axis
from cnnlab.palette import PALETTE

GREY = "#8a94a3"  # seen in light and dark
_LOWEST = 1e-8  # of the logarithmic axis of losses: below that all have arrived


def contours(
    x: Numbers, y: Numbers, losses: Numbers, ways: Mapping[str, Numbers], colours: Mapping[str, str]
) -> go.Figure:
    """Plot contours of the loss (len(y), len(x)) and paths (steps + 1, 2) over it.

    Contours are logarithmic, so that the floor of a valley shows beside its walls.
    """
    heights = np.log10(losses - losses.min() + 0.01 * (np.median(losses) - losses.min()))
    figure = go.Figure(
        go.Contour(
            x=x,
            y=y,
            z=heights,
            customdata=losses,
            colorscale=[(0.0, "rgba(138,148,163,0.02)"), (1.0, "rgba(138,148,163,0.6)")],
            ncontours=16,
            line={"width": 1, "color": GREY},
            showscale=False,
            hovertemplate="x %{x:.2f}, y %{y:.2f}: loss %{customdata:.3g}<extra></extra>",
        )
    )
    figure.add_traces([_path(name, points, colours[name]) for name, points in ways.items()])
    start = next(iter(ways.values()))[0]
    figure.add_trace(
        go.Scatter(
            x=[start[0]],
            y=[start[1]],
            name="start",
            mode="markers",
            marker={"size": 13, "symbol": "x", "color": GREY, "line": {"width": 1, "color": "white"}},
            hovertemplate="start<extra></extra>",
        )
    )
    figure.update_xaxes(title="x", range=[x[0], x[-1]], zeroline=False)
    figure.update_yaxes(title="y", range=[y[0], y[-1]], zeroline=False)
    return framed(figure.update_layout(height=460))


def _path(name: str, points: Numbers, colour: str) -> go.Scatter:
    return go.Scatter(
        x=points[:, 0],
        y=points[:, 1],
        name=name,
        mode="lines+markers",
        line={"color": colour, "width": 2},
        marker={"size": 5},
        customdata=list(range(len(points))),
        hovertemplate="step %{customdata}: x %{x:.3f}, y %{y:.3f}<extra>" + name + "</extra>",
    )


def losses_by_step(losses: Mapping[str, Sequence[float]], colours: Mapping[str, str]) -> go.Figure:
    """Plot each optimiser's loss after each of its steps, on a logarithmic axis."""
    heights = {name: np.maximum(line, _LOWEST) for name, line in losses.items()}
    figure = go.Figure(
        [
            go.Scatter(
                x=list(range(len(line))),
                y=heights[name],
                customdata=list(line),
                name=name,
                mode="lines",
                line={"color": colours[name], "width": 2},
                hovertemplate="step %{x}: %{customdata:.3g}<extra>" + name + "</extra>",
            )
            for name, line in losses.items()
        ]
    )
    figure.update_xaxes(title="step", rangemode="tozero")
    figure.update_yaxes(title="loss", **log_axis(chain.from_iterable(heights.values())))
    return framed(figure.update_layout(height=280))


def colours_of(names: Sequence[str]) -> dict[str, str]:
    """Assign each name a colour, in the palette's order."""
    return {name: PALETTE[place % len(PALETTE)] for place, name in enumerate(names)}
