"""Curves of trainings: live, overlaid, and of the learning-rate finder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from cnnlab.charts.classes import per_class_bars
from cnnlab.charts.style import TRAIN, VALIDATION, framed, label_ends, metric_axis, plain, thinned
from cnnlab.training.events import StepMetrics
from cnnlab.training.history import History, Record

LIVE_SECONDS = 1.0  # between updates of the live view
PARENT = "#8a94a3"  # grey, in light and dark


def live(
    history: History, classes: Sequence[str], parent: Stem | None = None, log: bool = False
) -> dict[str, go.Figure]:
    """Plot a training so far: loss, accuracy, and each class once an epoch is done."""
    figures = {metric: curve(history, metric, parent, log) for metric in ("loss", "accuracy")}
    if history.epochs:
        latest = dict(zip(classes, history.epochs[-1]["per_class"], strict=True))
        figures["per-class"] = per_class_bars(
            latest, f"Validation accuracy of each class, epoch {len(history.epochs)}; the worst in magenta"
        )
    return figures


@dataclass(frozen=True)
class Stem:
    """The history of a branch's parent, and the epoch after which it branched off."""

    history: History
    epoch: int


def curve(history: History, metric: str, parent: Stem | None = None, log: bool = False) -> go.Figure:
    """Plot train and validation ``metric`` ("loss" or "accuracy") by epoch; learning rates set by hand are marked.

    A branch starts at its parent's epoch, beside its parent. ``log`` makes the axis of a loss logarithmic.
    """
    steps = thinned(history.steps)
    epochs = thinned(history.epochs)
    begun = parent.epoch if parent else 0
    figure = go.Figure(
        [
            go.Scatter(
                x=[begun + step["epoch"] for step in steps],
                y=[step[metric] for step in steps],
                name="train, batches",
                mode="lines",
                line={"color": TRAIN, "width": 1},
                opacity=0.5,
                hoverinfo="skip",
            ),
            _epoch_line(epochs, f"train_{metric}", "train", TRAIN, begun),
            _epoch_line(epochs, f"validation_{metric}", "validation", VALIDATION, begun),
        ]
    )
    if parent:
        stem = _epoch_line(thinned(parent.history.epochs), f"validation_{metric}", "its parent, validation", PARENT)
        figure.add_trace(stem.update(line={"dash": "dot"}, mode="lines"))
    for change in history.rates:
        figure.add_vline(
            begun + change["epoch"],
            line={"color": PARENT, "dash": "dot", "width": 1},
            annotation={"text": f"rate {change['learning_rate']:.2g}", "font": {"size": 11}},
        )
    figure.update_xaxes(title="epoch, the parent's included" if parent else "epoch", rangemode="tozero")
    framed(figure)
    metric_axis(figure, metric, log=log)
    return label_ends(figure, {"train": "train", "validation": "validation", "its parent, validation": "parent"})


def learning_rate_ramp(points: Sequence[StepMetrics], suggestion: float) -> go.Figure:
    """Plot the learning rate finder's curve: loss against learning rate, the suggestion marked."""
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


def _epoch_line(epochs: Sequence[Record], column: str, name: str, colour: str, begun: int = 0) -> go.Scatter:
    form = ".1%" if column.endswith("accuracy") else ".4f"
    return go.Scatter(
        x=[begun + epoch["epoch"] for epoch in epochs],
        y=[epoch[column] for epoch in epochs],
        name=plain(name),
        mode="lines+markers" if len(epochs) <= 100 else "lines",
        line={"color": colour, "width": 2},
        marker={"size": 5},
        hovertemplate=f"epoch %{{x}}: %{{y:{form}}}<extra>{plain(name)}</extra>",
    )
