"""A training step in slow motion: each image's loss, each layer's gradient, the loss from step to step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from cnnlab.charts.style import TRAIN, VALIDATION, Numbers, framed, log_axis
from cnnlab.palette import PALETTE


def image_losses(names: Sequence[str], losses: Numbers, picked: int) -> go.Figure:
    """Plot the loss of each image of a batch, one highlighted, and their mean as a line."""
    mean = float(losses.mean())
    figure = go.Figure(
        go.Bar(
            x=list(names),
            y=losses,
            marker={"color": [TRAIN if place == picked else PALETTE[8] for place in range(len(names))]},
            text=[f"{loss:.2f}" for loss in losses],
            textposition="outside",
            cliponaxis=False,
            showlegend=False,
            hovertemplate="%{x}: %{y:.4f} nats<extra></extra>",
        )
    )
    figure.add_trace(
        go.Scatter(
            x=list(names),
            y=[mean] * len(names),
            name=f"mean {mean:.4f}",
            mode="lines",
            line={"color": VALIDATION, "dash": "dash", "width": 2},
            hoverinfo="skip",
        )
    )
    figure.update_xaxes(title="image, by its place and label", type="category")
    figure.update_yaxes(title="loss (cross-entropy), nats", rangemode="tozero")
    return framed(figure.update_layout(height=320))


def gradient_norms(norms: Mapping[str, float]) -> go.Figure:
    """Plot the norm of each parameter's gradient."""
    figure = go.Figure(
        go.Bar(
            x=list(norms.values()),
            y=list(norms),
            orientation="h",
            marker={"color": TRAIN},
            text=[f"{norm:.3g}" for norm in norms.values()],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x:.4g}<extra></extra>",
        )
    )
    figure.update_xaxes(title="norm of the gradient", range=[0, 1.2 * (max(norms.values()) or 1.0)])
    figure.update_yaxes(type="category", autorange="reversed")
    return framed(figure.update_layout(height=230))


def loss_by_step(losses: Sequence[float]) -> go.Figure:
    """Plot the batch's loss before each step and after the last, on a logarithmic axis."""
    figure = go.Figure(
        go.Scatter(
            x=list(range(len(losses))),
            y=list(losses),
            mode="lines+markers",
            line={"color": TRAIN, "width": 2},
            hovertemplate="after %{x} steps: %{y:.4g}<extra></extra>",
        )
    )
    figure.update_xaxes(title="steps taken", dtick=max(1, len(losses) // 8), rangemode="tozero")
    figure.update_yaxes(title="loss (cross-entropy), nats", **log_axis(losses))
    return framed(figure.update_layout(height=240))
