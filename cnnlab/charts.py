"""Plotly figures from histories and arrays; one palette, fractions shown as percent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from cnnlab.events import StepMetrics
from cnnlab.history import History, Record

PALETTE = (
    "#2f6fde",
    "#e8710a",
    "#12a37b",
    "#c2386b",
    "#7b5cd6",
    "#b58900",
    "#0e9bb5",
    "#8d6e63",
    "#5f6b7a",
    "#6aa84f",
)
TRAIN, VALIDATION = PALETTE[0], PALETTE[1]
DIVERGING = "RdBu"  # negative weights red, zero white, positive blue
BRIGHTNESS = "Viridis"  # feature maps
MAX_POINTS = 500  # of a line, about its width in pixels: more only costs the browser
LIVE_SECONDS = 1.0  # between updates of the live view

Numbers = npt.NDArray[np.floating]


def live(history: History, classes: Sequence[str]) -> dict[str, go.Figure]:
    """What the live view draws of a training so far: loss, accuracy, and each class once an epoch is done."""
    figures = {metric: curve(history, metric) for metric in ("loss", "accuracy")}
    if history.epochs:
        latest = dict(zip(classes, history.epochs[-1]["per_class"], strict=True))
        figures["per-class"] = per_class_bars(latest, "validation accuracy")
    return figures


def curve(history: History, metric: str) -> go.Figure:
    """Train and validation ``metric`` ("loss" or "accuracy") against epochs."""
    steps = _thinned(history.steps)
    epochs = _thinned(history.epochs)
    figure = go.Figure(
        [
            go.Scatter(
                x=[step["epoch"] for step in steps],
                y=[step[metric] for step in steps],
                name="train, batches",
                mode="lines",
                line={"color": TRAIN, "width": 1},
                opacity=0.5,
                hoverinfo="skip",
            ),
            _epoch_line(epochs, f"train_{metric}", "train", TRAIN),
            _epoch_line(epochs, f"validation_{metric}", "validation", VALIDATION),
        ]
    )
    figure.update_xaxes(title="epoch", rangemode="tozero")
    _metric_axis(figure, metric)
    return _framed(figure)


def learning_rate_ramp(points: Sequence[StepMetrics], suggestion: float) -> go.Figure:
    """The finder's curve: loss against learning rate, the suggestion marked."""
    figure = go.Figure(
        go.Scatter(
            x=[point.learning_rate for point in points],
            y=[point.loss for point in points],
            mode="lines+markers",
            line={"color": TRAIN, "width": 2},
            marker={"size": 5},
            hovertemplate="rate %{x:.2g}: loss %{y:.3f}<extra></extra>",
        )
    )
    figure.add_vline(suggestion, line={"color": VALIDATION, "dash": "dash"})
    figure.update_xaxes(title="learning rate", type="log", dtick=1, exponentformat="power")
    figure.update_yaxes(title="loss (cross-entropy)", rangemode="tozero")
    return _framed(figure)


def overlaid_curves(histories: Mapping[str, History], metric: str) -> go.Figure:
    """Validation ``metric`` of several runs, by their names, against epochs."""
    figure = go.Figure(
        [
            _epoch_line(_thinned(history.epochs), f"validation_{metric}", name, PALETTE[number % len(PALETTE)])
            for number, (name, history) in enumerate(histories.items())
        ]
    )
    figure.update_xaxes(title="epoch", rangemode="tozero")
    _metric_axis(figure, metric, "validation ")
    return _framed(figure)


def per_class_bars(accuracies: Mapping[str, float], axis: str) -> go.Figure:
    """Accuracy of each class, as bars from zero."""
    figure = go.Figure(
        go.Bar(
            x=list(accuracies),
            y=list(accuracies.values()),
            marker={"color": VALIDATION},
            hovertemplate="%{x}: %{y:.2%}<extra></extra>",
        )
    )
    figure.update_xaxes(title="class", type="category")
    figure.update_yaxes(title=axis, tickformat=".0%", range=[0, 1])
    return _framed(figure)


def per_class_points(accuracies: Mapping[str, Mapping[str, float]], axis: str) -> go.Figure:
    """Accuracy of each class in several runs, as points: their axis need not begin at zero to be read right."""
    figure = go.Figure(
        [
            go.Scatter(
                x=list(classes),
                y=list(classes.values()),
                name=_plain(name),
                mode="markers",
                marker={"color": PALETTE[number % len(PALETTE)], "size": 12, "symbol": number, "opacity": 0.8},
                hovertemplate="%{x}: %{y:.2%}<extra>" + _plain(name) + "</extra>",
            )
            for number, (name, classes) in enumerate(accuracies.items())
        ]
    )
    figure.update_xaxes(title="class", type="category", showgrid=True)
    figure.update_yaxes(title=axis, tickformat=".1%")
    return _framed(figure)


def probability_bars(classes: Sequence[str], probabilities: Sequence[float]) -> go.Figure:
    """Class probabilities, the most likely one highlighted."""
    best = int(np.argmax(probabilities))
    colours = [PALETTE[0] if number == best else PALETTE[8] for number in range(len(classes))]
    figure = go.Figure(
        go.Bar(
            x=list(probabilities),
            y=list(classes),
            orientation="h",
            marker={"color": colours},
            text=[f"{probability:.1%}" for probability in probabilities],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x:.2%}<extra></extra>",
        )
    )
    figure.update_xaxes(title="probability", tickformat=".0%", range=[0, 1.15], tickvals=[0, 0.25, 0.5, 0.75, 1])
    figure.update_yaxes(type="category", autorange="reversed", title="class")
    return _framed(figure)


def filter_grid(weights: Numbers) -> go.Figure:
    """One tile per filter (N, height, width) on a diverging scale with zero in its middle."""
    limit = float(np.abs(weights).max()) or 1.0
    return _mosaic(weights, DIVERGING, -limit, limit, "weight")


def feature_map_grid(maps: Numbers) -> go.Figure:
    """One tile per feature map (N, height, width), all on one scale so that they compare."""
    return _mosaic(maps, BRIGHTNESS, float(maps.min()), float(maps.max()), "activation")


def _mosaic(tiles: Numbers, scale: str, low: float, high: float, quantity: str) -> go.Figure:
    """Tiles in rows with a gap of one cell; hovering tells the tile's number and the value."""
    count, height, width = tiles.shape
    columns = min(count, 8 if count <= 32 else 16)
    rows = ceil(count / columns)
    grid = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1), np.nan)
    number = np.zeros(grid.shape, int)
    for index, tile in enumerate(tiles):
        top, left = index // columns * (height + 1), index % columns * (width + 1)
        grid[top : top + height, left : left + width] = tile
        number[top : top + height, left : left + width] = index + 1
    figure = go.Figure(
        go.Heatmap(
            z=grid,
            customdata=number,
            colorscale=scale,
            zmin=low,
            zmax=high,
            colorbar={"title": quantity, "thickness": 12},
            hovertemplate=f"#%{{customdata}}: %{{z:.3g}}<extra>{quantity}</extra>",
            hoverongaps=False,
        )
    )
    figure.update_xaxes(visible=False, constrain="domain")
    figure.update_yaxes(visible=False, autorange="reversed", scaleanchor="x", constrain="domain")
    figure.update_layout(height=min(640, 120 + 70 * rows), plot_bgcolor="rgba(0,0,0,0)")
    return _framed(figure)


def _epoch_line(epochs: Sequence[Record], column: str, name: str, colour: str) -> go.Scatter:
    form = ".2%" if column.endswith("accuracy") else ".4f"
    return go.Scatter(
        x=[epoch["epoch"] for epoch in epochs],
        y=[epoch[column] for epoch in epochs],
        name=_plain(name),
        mode="lines+markers" if len(epochs) <= 100 else "lines",
        line={"color": colour, "width": 2},
        marker={"size": 5},
        hovertemplate=f"epoch %{{x}}: %{{y:{form}}}<extra>{_plain(name)}</extra>",
    )


def _metric_axis(figure: go.Figure, metric: str, split: str = "") -> None:
    if metric == "accuracy":
        figure.update_yaxes(title=f"{split}accuracy", tickformat=".0%")
    else:
        figure.update_yaxes(title=f"{split}loss (cross-entropy)", rangemode="tozero")


def _framed(figure: go.Figure) -> go.Figure:
    return figure.update_layout(
        margin={"l": 10, "r": 10, "t": 30, "b": 10},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0},
        hovermode="closest",
    )


def _plain(name: str) -> str:
    """A name that plotly, which reads some HTML in labels, shows as it was typed."""
    return name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _thinned(records: Sequence[Record]) -> Sequence[Record]:
    """Every k-th record and the last, MAX_POINTS at the most."""
    stride = ceil(len(records) / (MAX_POINTS - 1)) or 1
    return records if stride == 1 else [*records[:-1:stride], records[-1]]
