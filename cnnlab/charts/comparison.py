"""Runs against each other: curves with their spread, accuracy against its cost, settings against accuracy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import plotly.graph_objects as go
from plotly.colors import hex_to_rgb

from cnnlab.charts.style import PERCENT, end_labels, framed, metric_layout, plain, thinned
from cnnlab.palette import PALETTE

LOG_RATIO = 30  # a setting whose values span more is spread by powers of ten
FEW = 8  # values of a setting that are told one by one
BANDS = 10  # colours from the worst run to the best


def overlaid_curves(
    curves: Mapping[str, pd.DataFrame],
    metric: str,
    axis: str,
    colours: Mapping[str, str] | None = None,
    log: bool = False,
) -> go.Figure:
    """Plot validation ``metric`` ("loss" or "accuracy") of several runs; columns x, mean, sd, runs, training.

    Lines have the runs' ``colours``, by default the palette's, and at their ends the places of their names there,
    counted from 1. A curve that is the mean of several runs has a band of one standard deviation to each side. ``log``
    makes the axis of a loss logarithmic.
    """
    figure = go.Figure()
    colours = colours or dict(zip(curves, cycle(PALETTE), strict=False))
    for name, whole in curves.items():
        rows = whole.loc[list(thinned(list(whole.index)))]
        if (rows["runs"] > 1).any():
            figure.add_trace(_band(rows, colours[name], log and metric == "loss"))
        figure.add_trace(_line(rows, plain(name), colours[name], metric, axis))
    figure.update_xaxes(title=axis, rangemode="tozero")
    layout = metric_layout(metric, [value for line in figure.data for value in line.y], "validation ", log)
    labels = {plain(name): str(number) for number, name in enumerate(colours, 1)}
    framed(figure).update_layout(layout)
    return figure.update_layout(annotations=end_labels(figure.data, labels, layout["yaxis"]))


def cost_and_accuracy(rows: pd.DataFrame, cost: str, front: Sequence[str], marked: Sequence[str]) -> go.Figure:
    """Plot a point a run from columns ``cost``, Accuracy and Name, some ``marked``; the Pareto ``front`` is a line."""
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
    figure.update_yaxes(title="accuracy", tickformat=PERCENT)
    return framed(figure.update_layout(height=420))


def parallel_coordinates(rows: pd.DataFrame, accuracy: str) -> go.Figure:
    """Plot a line a run through its settings, all columns but ``accuracy``, to its accuracy, the colour.

    There is a trace of plain lines for each of BANDS colours: Plotly's own chart needs a GPU for thousands of runs.
    """
    axes = [_axis(name, rows[name]) for name in rows.columns if name != accuracy]
    axes.append(_axis(accuracy, rows[accuracy], "{:.1%}"))
    heights = np.stack([axis.heights for axis in axes], axis=1)  # (runs, axes), 0…1
    bands = np.minimum((heights[:, -1] * BANDS).astype(int), BANDS - 1)
    shades = np.linspace(hex_to_rgb(PALETTE[8]), hex_to_rgb(PALETTE[1]), BANDS)  # seen on light and on dark
    colours = [f"rgb({red:.0f}, {green:.0f}, {blue:.0f})" for red, green, blue in shades]
    figure = go.Figure(
        [_lines(heights[bands == band], colours[band]) for band in range(BANDS) if (bands == band).any()]
    )
    for place, axis in enumerate(axes):
        figure.add_vline(place, line={"color": PALETTE[8], "width": 1})
        is_last = place == len(axes) - 1  # whose numbers stand where no line runs
        side = {"xanchor": "left", "xshift": 4} if is_last else {"xanchor": "right", "xshift": -4}
        for height, text in axis.ticks:
            figure.add_annotation(x=place, y=height, text=text, showarrow=False, font={"size": 11}, **side)
    figure.update_xaxes(
        tickvals=list(range(len(axes))), ticktext=[axis.label for axis in axes], side="top", showgrid=False
    )
    figure.update_xaxes(range=[-0.02, len(axes) - 0.98], fixedrange=True)
    figure.update_yaxes(visible=False, range=[-0.05, 1.05], fixedrange=True)
    return framed(figure).update_layout(height=440, showlegend=False, margin={"l": 140, "r": 60, "t": 70})


def spans_powers(values: pd.Series[float]) -> bool:
    """Tell whether positive values are so far apart that only a logarithmic axis shows them all."""
    known = values.dropna()
    return bool(len(known) and known.min() > 0 and known.max() / known.min() > LOG_RATIO)


def _line(rows: pd.DataFrame, name: str, colour: str, metric: str, axis: str) -> go.Scatter:
    form = ".1%" if metric == "accuracy" else ".4f"
    repeated = bool((rows["runs"] > 1).any())
    spread = (
        f" ± %{{customdata[0]:{form}}} (%{{customdata[1]}} runs, %{{customdata[2]}} still training)" if repeated else ""
    )
    return go.Scatter(
        x=rows["x"],
        y=rows["mean"],
        customdata=rows[["sd", "runs", "training"]],
        name=name,
        legendgroup=name,
        mode="lines+markers" if len(rows) <= 100 else "lines",
        line={"color": colour, "width": 2},
        marker={"size": 5},
        hovertemplate=f"{axis} %{{x:.4~g}}: %{{y:{form}}}{spread}<extra>{name}</extra>",
    )


def _band(rows: pd.DataFrame, colour: str, log: bool) -> go.Scatter:
    red, green, blue = hex_to_rgb(colour)
    low, high = rows["mean"] - rows["sd"], rows["mean"] + rows["sd"]
    if log:  # which has no place for zero
        low = low.clip(lower=rows["mean"] / 10)
    return go.Scatter(
        x=[*rows["x"], *rows["x"][::-1]],
        y=[*low, *high[::-1]],
        mode="lines",
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
        hovertemplate=f"%{{text}}<br>%{{y:.1%}}, {cost} %{{x:,.4~g}}<extra></extra>",
    )


@dataclass(frozen=True)
class _Axis:
    """An axis of parallel coordinates."""

    label: str
    heights: npt.NDArray[np.floating]  # (runs,), 0…1
    ticks: list[tuple[float, str]]  # height and text


def _axis(name: str, values: pd.Series[Any], form: str = "{:.3g}") -> _Axis:
    """Scale numbers (by their logarithm where they span powers of ten) or evenly spaced names to an axis."""
    distinct = sorted(values.unique(), key=lambda value: (isinstance(value, str), value))
    if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        places = {value: number / max(1, len(distinct) - 1) for number, value in enumerate(distinct)}
        ticks = [(height, plain(str(value))) for value, height in places.items()]
        return _Axis(plain(name), values.map(places).to_numpy(float), ticks)
    numbers = values.to_numpy(float)
    is_log = spans_powers(values)
    shown = np.asarray(distinct, float)
    if len(distinct) > FEW:
        shown = (np.geomspace if is_log else np.linspace)(numbers.min(), numbers.max(), 5)
    low, high = numbers.min(), numbers.max()

    def height(value: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        if high == low:
            return np.full_like(value, 0.5)
        scaled: npt.NDArray[np.floating] = np.log(value / low) / np.log(high / low) if is_log else value - low
        return scaled if is_log else scaled / (high - low)

    ticks = [(float(place), form.format(value)) for place, value in zip(height(shown), shown, strict=True)]
    return _Axis(plain(name), height(numbers), ticks)


def _lines(heights: npt.NDArray[np.floating], colour: str) -> go.Scatter:
    """Draw many runs (runs, axes) as one trace, with a gap after each."""
    runs, axes = heights.shape
    gap = np.full((runs, 1), np.nan)
    return go.Scatter(
        x=np.tile([*range(axes), np.nan], runs),
        y=np.hstack([heights.round(4), gap]).ravel(),
        mode="lines",
        line={"color": colour, "width": 1.5},
        opacity=0.6 if runs < 100 else 0.3,
        hoverinfo="skip",
    )
