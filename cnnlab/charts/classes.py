"""Accuracy and probability of each class."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import cycle

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from cnnlab.charts.style import (
    ERROR,
    PERCENT,
    VALIDATION,
    Plot,
    fitted,
    framed,
    framed_layout,
    plain,
    title_layout,
    titled,
)
from cnnlab.palette import PALETTE
from cnnlab.text import percent

MOST_BARS = 20  # that can be read
LEAST_TOLD = 0.005  # probability, of a bar that can be seen
LABEL = 60  # pixels beside a full bar


def per_class_bars(accuracies: Mapping[str, float], title: str) -> Plot:
    """Plot the accuracy of each class as bars from zero, the worst one's in the colour of errors."""
    worst, best = min(accuracies.values()), max(accuracies.values())
    colours = [ERROR if accuracy == worst < best else VALIDATION for accuracy in accuracies.values()]
    bars = {
        "type": "bar",
        "x": list(fitted(accuracies).values()),
        "y": list(accuracies.values()),
        "hovertext": [plain(name) for name in accuracies],
        "marker": {"color": colours},
        "hovertemplate": "%{hovertext}: %{y:.1%}<extra></extra>",
    }
    axes = {"type": "category"}, {"tickformat": ".0%", "range": [0, 1], "nticks": 3}
    return {"data": [bars], "layout": {**framed_layout(*axes), **title_layout(title)}}


def per_class_points(
    accuracies: Mapping[str, Mapping[str, float]], title: str, colours: Mapping[str, str] | None = None
) -> go.Figure:
    """Plot the accuracy of each class in several runs as points, whose axis need not start at zero.

    Runs have their ``colours``, by default the palette's.
    """
    colours = colours or dict(zip(accuracies, cycle(PALETTE), strict=False))
    short = fitted(label for classes in accuracies.values() for label in classes)
    figure = go.Figure(
        [
            go.Scatter(
                x=[short[label] for label in classes],
                y=list(classes.values()),
                hovertext=[plain(label) for label in classes],
                name=plain(name),
                mode="markers",
                marker={"color": colours[name], "size": 10, "symbol": number, "opacity": 0.8},
                hovertemplate="%{hovertext}: %{y:.1%}<extra>" + plain(name) + "</extra>",
            )
            for number, (name, classes) in enumerate(accuracies.items())
        ]
    )
    figure.update_xaxes(title="class", type="category", showgrid=True)
    figure.update_yaxes(tickformat=PERCENT)
    return titled(framed(figure), title)


def class_changes(table: pd.DataFrame) -> go.Figure:
    """Plot the accuracy of each class before and after a change, joined by a line; the largest loss in its colour.

    ``table`` has columns Class, Images, Right before and Right now.
    """
    images = table["Images"].clip(lower=1)
    before, after = (
        dict(zip(table["Class"], table[column] / images, strict=True)) for column in ("Right before", "Right now")
    )
    notes = [f"{row[0]}: {row[2]} of {row[1]} right before, {row[3]} now" for row in table.itertuples(index=False)]
    short = fitted(before)
    losses = {name: before[name] - after[name] for name in before}
    worst = max(losses.values(), default=0.0)
    figure = go.Figure()
    for shade, chosen in (
        (PALETTE[0], [name for name, loss in losses.items() if loss < worst or worst <= 0]),
        (ERROR, [name for name, loss in losses.items() if loss == worst > 0]),
    ):
        figure.add_scatter(
            x=[short[name] for name in chosen for _ in range(3)],
            y=[end for name in chosen for end in (before[name], after[name], None)],
            mode="lines",
            line={"color": shade, "width": 3},
            hoverinfo="skip",
        )
    dots = (("before", before, [PALETTE[8]] * len(before)), ("now", after, _by_loss(losses, worst)))
    for name, accuracies, colours in dots:
        figure.add_scatter(
            x=[short[label] for label in accuracies],
            y=list(accuracies.values()),
            name=name,
            mode="markers",
            marker={"color": colours, "size": 11},
            hovertext=list(map(plain, notes)),
            hovertemplate="%{hovertext}<extra></extra>",
        )
    figure.update_xaxes(type="category", categoryorder="array", categoryarray=[short[name] for name in before])
    low = min([0.9, *after.values(), *before.values()])
    figure.update_yaxes(tickformat=PERCENT, range=[low - (1.02 - low) / 20, 1 + (1.02 - low) / 20])
    return titled(framed(figure), "Accuracy of each class: before (grey), now (colour)").update_layout(height=260)


def _by_loss(losses: Mapping[str, float], worst: float) -> list[str]:
    return [ERROR if loss == worst > 0 else PALETTE[0] for loss in losses.values()]


def probability_bars(
    classes: Sequence[str], probabilities: Sequence[float], told: Callable[[float], str] = percent
) -> go.Figure:
    """Plot class probabilities, the highest one highlighted; of more than MOST_BARS classes only the likeliest.

    ``told`` formats those that are large enough to be seen.
    """
    every = len(classes)
    if every > MOST_BARS:
        likeliest = np.argsort(probabilities)[::-1][:MOST_BARS].tolist()
        classes, probabilities = [classes[one] for one in likeliest], [probabilities[one] for one in likeliest]
    best = int(np.argmax(probabilities))
    colours = [PALETTE[0] if number == best else PALETTE[8] for number in range(len(classes))]
    short = fitted(classes)
    figure = go.Figure(
        go.Bar(
            x=list(probabilities),
            y=[short[name] for name in classes],
            hovertext=[plain(name) for name in classes],
            orientation="h",
            marker={"color": colours},
            text=[told(probability) if probability >= LEAST_TOLD else "" for probability in probabilities],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{hovertext}: %{x:.1%}<extra></extra>",
        )
    )
    figure.update_xaxes(title="probability", tickformat=".0%", range=[0, 1], nticks=5)
    title = "class" if every == len(classes) else f"the {len(classes)} likeliest of {every:,} classes"
    figure.update_yaxes(type="category", autorange="reversed", title=title)
    return framed(figure).update_layout(margin={"r": LABEL})
