"""Curves of trainings: live, overlaid, and of the learning-rate finder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from cnnlab.charts.classes import per_class_bars
from cnnlab.charts.style import (
    TRAIN,
    VALIDATION,
    Plot,
    end_labels,
    framed,
    framed_layout,
    metric_layout,
    thinned,
)
from cnnlab.training.events import StepMetrics
from cnnlab.training.history import History, Record

LIVE_SECONDS = 1.0  # between updates of the live view
PARENT = "#8a94a3"  # grey, in light and dark


def live(history: History, classes: Sequence[str], parent: Stem | None = None, log: bool = False) -> dict[str, Plot]:
    """Plot a training so far: loss, accuracy, and each class once an epoch is done."""
    plots = {metric: curve(history, metric, parent, log) for metric in ("loss", "accuracy")}
    if history.epochs:
        latest = dict(zip(classes, history.epochs[-1]["per_class"], strict=True))
        plots["per-class"] = per_class_bars(
            latest, f"Validation accuracy of each class, epoch {len(history.epochs)}; the worst in magenta"
        )
    return plots


@dataclass(frozen=True)
class Stem:
    """The history of a branch's parent, and the epoch after which it branched off."""

    history: History
    epoch: int


def curve(history: History, metric: str, parent: Stem | None = None, log: bool = False) -> Plot:
    """Plot train and validation ``metric`` ("loss" or "accuracy") by epoch; learning rates set by hand are marked.

    A branch starts at its parent's epoch, beside its parent. ``log`` makes the axis of a loss logarithmic.
    """
    epochs = thinned(history.epochs)
    begun = parent.epoch if parent else 0
    lines = [
        _batch_line(history, metric, begun),
        _epoch_line(epochs, f"train_{metric}", "train", TRAIN, begun),
        _epoch_line(epochs, f"validation_{metric}", "validation", VALIDATION, begun),
    ]
    if parent:
        stem = _epoch_line(thinned(parent.history.epochs), f"validation_{metric}", "its parent, validation", PARENT)
        lines.append({**stem, "line": {**stem["line"], "dash": "dot"}, "mode": "lines"})
    layout = metric_layout(metric, [value for line in lines for value in line["y"]], log=log)
    x_axis = {"title": {"text": "epoch, the parent's included" if parent else "epoch"}, "rangemode": "tozero"}
    labels = {"train": "train", "validation": "validation", "its parent, validation": "parent"}
    shapes, rates = _rate_marks(history, begun)
    notes = [*rates, *end_labels(lines, labels, layout["yaxis"])]
    framing = framed_layout(x_axis, layout["yaxis"])
    return {"data": lines, "layout": {**layout, **framing, "shapes": shapes, "annotations": notes}}


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


def _batch_line(history: History, metric: str, begun: int) -> Plot:
    steps = thinned(history.steps)
    return {
        "type": "scatter",
        "x": [begun + step["epoch"] for step in steps],
        "y": [step[metric] for step in steps],
        "name": "train, batches",
        "mode": "lines",
        "line": {"color": TRAIN, "width": 1},
        "opacity": 0.5,
        "hoverinfo": "skip",
    }


def _epoch_line(epochs: Sequence[Record], column: str, name: str, colour: str, begun: int = 0) -> Plot:
    form = ".1%" if column.endswith("accuracy") else ".4f"
    return {
        "type": "scatter",
        "x": [begun + epoch["epoch"] for epoch in epochs],
        "y": [epoch[column] for epoch in epochs],
        "name": name,
        "mode": "lines+markers" if len(epochs) <= 100 else "lines",
        "line": {"color": colour, "width": 2},
        "marker": {"size": 5},
        "hovertemplate": f"epoch %{{x}}: %{{y:{form}}}<extra>{name}</extra>",
    }


def _rate_marks(history: History, begun: int) -> tuple[list[Plot], list[Plot]]:
    """Return a vertical line and its text for each learning rate that was set by hand."""
    marks = [(begun + change["epoch"], f"rate {change['learning_rate']:.2g}") for change in history.rates]
    whole = {"xref": "x", "yref": "y domain"}  # from the bottom to the top
    line = {**whole, "type": "line", "y0": 0, "y1": 1, "line": {"color": PARENT, "dash": "dot", "width": 1}}
    note = {**whole, "y": 1, "yanchor": "top", "xanchor": "left", "showarrow": False, "font": {"size": 11}}
    return [{**line, "x0": x, "x1": x} for x, _ in marks], [{**note, "x": x, "text": text} for x, text in marks]
