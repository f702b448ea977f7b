"""Two networks side by side: learning curves, accuracy on shifted images, predictions for one image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from cnnlab.charts.style import PERCENT, framed
from cnnlab.palette import PALETTE

COLOURS = {"dense": PALETTE[1], "convolutional": PALETTE[0]}


def learning(curves: Mapping[str, Sequence[tuple[float, float]]]) -> go.Figure:
    """Plot each network's accuracy after each epoch so far, on training (dotted) and validation images."""
    figure = go.Figure()
    for name, epochs in curves.items():
        for column, (what, dash) in enumerate((("train", "dot"), ("validation", "solid"))):
            figure.add_trace(
                go.Scatter(
                    x=list(range(1, len(epochs) + 1)),
                    y=[accuracies[column] for accuracies in epochs],
                    name=f"{name}, {what}",
                    mode="lines+markers",
                    line={"color": COLOURS[name], "width": 2, "dash": dash},
                    marker={"size": 5},
                    hovertemplate="epoch %{x}: %{y:.1%}<extra>" + f"{name}, {what}</extra>",
                )
            )
    figure.update_xaxes(title="epoch", rangemode="tozero")
    figure.update_yaxes(title="accuracy", tickformat=PERCENT)
    return framed(figure)


def accuracy_by_shift(accuracies: Mapping[str, Sequence[float]], guessing: float) -> go.Figure:
    """Plot each network's accuracy on images shifted by 0, 1, … pixels, and a line at chance, ``guessing``."""
    figure = go.Figure(
        [
            go.Scatter(
                x=list(range(len(values))),
                y=list(values),
                name=name,
                mode="lines+markers",
                line={"color": COLOURS[name], "width": 3},
                marker={"size": 8},
                hovertemplate="%{x} px: %{y:.1%}<extra>" + f"{name}</extra>",
            )
            for name, values in accuracies.items()
        ]
    )
    figure.add_hline(
        guessing,
        line={"color": PALETTE[8], "dash": "dot", "width": 1},
        annotation={"text": "guessing", "font": {"size": 11}},
        annotation_position="top left",
    )
    figure.update_xaxes(title="moved by, px", dtick=1)
    figure.update_yaxes(title="test accuracy", tickformat=".0%", range=[0, 1.03])
    return framed(figure)


def two_answers(classes: Sequence[str], probabilities: Mapping[str, Sequence[float]]) -> go.Figure:
    """Plot the class probabilities of each network for one image."""
    figure = go.Figure(
        [
            go.Bar(
                x=list(classes),
                y=list(values),
                name=name,
                marker={"color": COLOURS[name]},
                hovertemplate="%{x}: %{y:.1%}<extra>" + f"{name}</extra>",
            )
            for name, values in probabilities.items()
        ]
    )
    figure.update_xaxes(title="class", type="category")
    figure.update_yaxes(title="probability", tickformat=".0%", range=[0, 1])
    return framed(figure.update_layout(barmode="group"))
