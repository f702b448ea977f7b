"""Curves of trainings: live, overlaid, and of the learning-rate finder."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from cnnlab.charts.classes import per_class_bars
from cnnlab.charts.style import TRAIN, VALIDATION, framed, metric_axis, plain, thinned
from cnnlab.events import StepMetrics
from cnnlab.history import History, Record

LIVE_SECONDS = 1.0  # between updates of the live view


def live(history: History, classes: Sequence[str]) -> dict[str, go.Figure]:
    """What the live view draws of a training so far: loss, accuracy, and each class once an epoch is done."""
    figures = {metric: curve(history, metric) for metric in ("loss", "accuracy")}
    if history.epochs:
        latest = dict(zip(classes, history.epochs[-1]["per_class"], strict=True))
        figures["per-class"] = per_class_bars(latest, "validation accuracy")
    return figures


def curve(history: History, metric: str) -> go.Figure:
    """Train and validation ``metric`` ("loss" or "accuracy") against epochs."""
    steps = thinned(history.steps)
    epochs = thinned(history.epochs)
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
    metric_axis(figure, metric)
    return framed(figure)


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
    return framed(figure)


def _epoch_line(epochs: Sequence[Record], column: str, name: str, colour: str) -> go.Scatter:
    form = ".2%" if column.endswith("accuracy") else ".4f"
    return go.Scatter(
        x=[epoch["epoch"] for epoch in epochs],
        y=[epoch[column] for epoch in epochs],
        name=plain(name),
        mode="lines+markers" if len(epochs) <= 100 else "lines",
        line={"color": colour, "width": 2},
        marker={"size": 5},
        hovertemplate=f"epoch %{{x}}: %{{y:{form}}}<extra>{plain(name)}</extra>",
    )
