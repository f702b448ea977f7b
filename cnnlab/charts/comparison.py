"""Runs against each other: curves with their spread, accuracy against its cost, settings against accuracy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.colors import hex_to_rgb

from cnnlab.charts.style import BRIGHTNESS, PALETTE, framed, metric_axis, plain, thinned

LOG_RATIO = 30  # a setting whose values span more is spread by powers of ten
FEW = 8  # values of a setting that are told one by one


def overlaid_curves(curves: Mapping[str, pd.DataFrame], metric: str, axis: str) -> go.Figure:
    """Validation ``metric`` ("loss" or "accuracy") of several runs; columns x, mean, sd, runs.

    Where a curve is the mean of several runs a band shows one standard deviation to each side.
    """
    figure = go.Figure()
    for number, (name, whole) in enumerate(curves.items()):
        colour = PALETTE[number % len(PALETTE)]
        rows = whole.loc[list(thinned(list(whole.index)))]
        if (rows["runs"] > 1).any():
            figure.add_trace(_band(rows, colour))
        figure.add_trace(_line(rows, plain(name), colour, metric, axis))
    figure.update_xaxes(title=axis, rangemode="tozero")
    metric_axis(figure, metric, "validation ")
    return framed(figure)


def cost_and_accuracy(rows: pd.DataFrame, cost: str, front: Sequence[str], marked: Sequence[str]) -> go.Figure:
    """A point a run from columns ``cost``, Accuracy and Name, some ``marked``; a line through the Pareto ``front``."""
    optimal = rows.loc[list(front)]
    figure = go.Figure(
        [
            go.Scatter(
                x=optimal[cost],
                y=optimal["Accuracy"],
                mode="lines",
                line={"color": PALETTE[1], "width": 2, "shape": "hv"},
                name="best for its cost (Pareto front)",
                hoverinfo="skip",
            ),
            *(
                _points(rows.loc[chosen], cost, name, colour, size)
                for name, chosen, colour, size in (
                    ("run", [name for name in rows.index if name not in marked], PALETTE[0], 8),
                    ("compared above", [name for name in rows.index if name in marked], PALETTE[3], 12),
                )
                if len(chosen)
            ),
        ]
    )
    figure.update_xaxes(title=cost, type="log" if spans_powers(rows[cost]) else "linear", exponentformat="SI")
    figure.update_yaxes(title="accuracy", tickformat=".1%")
    return framed(figure.update_layout(height=420))


def parallel_coordinates(rows: pd.DataFrame, accuracy: str) -> go.Figure:
    """A line a run through the values of its settings, all columns but ``accuracy``, to its accuracy, the colour."""
    settings = [_dimension(name, rows[name]) for name in rows.columns if name != accuracy]
    last = {"label": plain(accuracy), "values": rows[accuracy], "tickformat": ".1%"}
    figure = go.Figure(
        go.Parcoords(
            dimensions=[*settings, last],
            line={
                "color": rows[accuracy],
                "colorscale": BRIGHTNESS,
                "colorbar": {"thickness": 12, "tickformat": ".1%"},
            },
        )
    )
    return framed(figure).update_layout(height=440, margin={"l": 130, "r": 20, "t": 60, "b": 20})


def spans_powers(values: pd.Series[float]) -> bool:
    """Whether positive values are so far apart that only powers of ten show them all."""
    known = values.dropna()
    return bool(len(known) and known.min() > 0 and known.max() / known.min() > LOG_RATIO)


def _line(rows: pd.DataFrame, name: str, colour: str, metric: str, axis: str) -> go.Scatter:
    form = ".2%" if metric == "accuracy" else ".4f"
    repeated = bool((rows["runs"] > 1).any())
    spread = f" ± %{{customdata[0]:{form}}} (%{{customdata[1]}} runs)" if repeated else ""
    return go.Scatter(
        x=rows["x"],
        y=rows["mean"],
        customdata=rows[["sd", "runs"]],
        name=name,
        legendgroup=name,
        mode="lines+markers" if len(rows) <= 100 else "lines",
        line={"color": colour, "width": 2},
        marker={"size": 5},
        hovertemplate=f"{axis} %{{x:.4~g}}: %{{y:{form}}}{spread}<extra>{name}</extra>",
    )


def _band(rows: pd.DataFrame, colour: str) -> go.Scatter:
    red, green, blue = hex_to_rgb(colour)
    low, high = rows["mean"] - rows["sd"], rows["mean"] + rows["sd"]
    return go.Scatter(
        x=[*rows["x"], *rows["x"][::-1]],
        y=[*low, *high[::-1]],
        fill="toself",
        fillcolor=f"rgba({red}, {green}, {blue}, 0.2)",
        line={"width": 0},
        hoverinfo="skip",
        showlegend=False,
    )


def _points(rows: pd.DataFrame, cost: str, name: str, colour: str, size: int) -> go.Scatter:
    return go.Scatter(
        x=rows[cost],
        y=rows["Accuracy"],
        text=rows["Name"].map(plain),
        mode="markers",
        marker={"color": colour, "size": size, "opacity": 0.7},
        name=name,
        hovertemplate=f"%{{text}}<br>%{{y:.2%}}, {cost} %{{x:,.4~g}}<extra></extra>",
    )


def _dimension(name: str, values: pd.Series[Any]) -> dict[str, object]:
    """An axis of parallel coordinates: numbers, their powers of ten, or numbered names."""
    label = plain(name)
    distinct = sorted(values.unique(), key=lambda value: (isinstance(value, str), value))
    if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        numbers = {value: number for number, value in enumerate(distinct)}
        shown = [plain(str(value)) for value in distinct]
        return {"label": label, "values": values.map(numbers), "tickvals": list(numbers.values()), "ticktext": shown}
    numeric = values.astype(float)
    scale = np.log10 if spans_powers(numeric) else np.asarray
    axis: dict[str, object] = {"label": label, "values": scale(numeric)}
    if len(distinct) <= FEW or spans_powers(numeric):
        few = np.asarray(distinct, float) if len(distinct) <= FEW else np.geomspace(numeric.min(), numeric.max(), 5)
        axis |= {"tickvals": scale(few), "ticktext": [f"{value:.3g}" for value in few]}
    return axis
