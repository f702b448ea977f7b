"""Charts for single layers: an activation's curve, running statistics, probabilities and their gradient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cnnlab.charts.style import TRAIN, VALIDATION, Numbers, framed
from cnnlab.palette import PALETTE


def activation_curve(x: Numbers, y: Numbers, slopes: Numbers, points: Numbers) -> go.Figure:
    """Plot a function and its slope over ``x``; ``points`` (3, N) are inputs, outputs and slopes."""
    figure = go.Figure()
    for name, line, marks, colour, dash in (
        ("output", y, points[1], TRAIN, "solid"),
        ("slope", slopes, points[2], VALIDATION, "dot"),
    ):
        figure.add_trace(
            go.Scatter(x=x, y=line, name=name, mode="lines", line={"color": colour, "width": 2, "dash": dash})
        )
        figure.add_trace(
            go.Scatter(
                x=points[0],
                y=marks,
                mode="markers",
                marker={"color": colour, "size": 10},
                showlegend=False,
                hovertemplate=f"input %{{x:.3g}}: {name} %{{y:.3g}}<extra></extra>",
            )
        )
    figure.update_xaxes(title="input")
    figure.update_yaxes(title="output, slope")
    return framed(figure.update_layout(height=340))


def running_statistics(seen: Mapping[str, Sequence[Numbers]], batch: Mapping[str, Numbers]) -> go.Figure:
    """Plot each channel's running mean and variance after each batch; dotted, the last batch's own."""
    figure = make_subplots(rows=1, cols=len(seen), subplot_titles=list(seen))
    for place, (name, values) in enumerate(seen.items(), start=1):
        for channel, own in enumerate(batch[name]):
            line = [after[channel] for after in values]
            colour = PALETTE[channel]
            figure.add_trace(
                go.Scatter(
                    x=list(range(len(line))),
                    y=line,
                    name=f"channel {channel}",
                    mode="lines+markers",
                    line={"color": colour, "width": 2},
                    showlegend=place == 1,
                    hovertemplate=f"after batch %{{x}}: %{{y:.3g}}<extra>channel {channel}</extra>",
                ),
                row=1,
                col=place,
            )
            figure.add_hline(own, line={"color": colour, "width": 1, "dash": "dot"}, row=1, col=place)
    figure.update_xaxes(title="batches fed", dtick=max(1, (len(line) - 1) // 5), rangemode="tozero")
    framed(figure).update_layout(height=280, margin={"t": 60})
    return figure.update_layout(legend={"y": 1.12})


def against_target(classes: Sequence[str], probabilities: Numbers, target: Numbers) -> go.Figure:
    """Plot each class's probability beside its target."""
    figure = go.Figure(
        [
            go.Bar(
                x=list(classes),
                y=values,
                name=name,
                marker={"color": colour},
                text=[f"{value:.1%}" for value in values] if name == "probability" else None,
                textposition="outside",
                textangle=0,
                constraintext="none",
                cliponaxis=False,
                hovertemplate=f"class %{{x}}: %{{y:.1%}}<extra>{name}</extra>",
            )
            for name, values, colour in (("probability", probabilities, TRAIN), ("target", target, PALETTE[8]))
        ]
    )
    figure.update_xaxes(title="class", type="category")
    figure.update_yaxes(title="probability", tickformat=".0%", range=[0, 1.1])
    return framed(figure.update_layout(height=300))


def signed_bars(names: Sequence[str], values: Numbers, quantity: str, axis: str) -> go.Figure:
    """Plot bars up in blue and down in red, the colours of the diverging scale."""
    figure = go.Figure(
        go.Bar(
            x=list(names),
            y=values,
            marker={"color": ["#2166ac" if value > 0 else "#b2182b" for value in values]},
            text=[f"{value:.3f}".replace("-", "−") for value in values],
            textposition="outside",
            cliponaxis=False,
            hovertemplate=f"{axis} %{{x}}: %{{y:.4f}}<extra></extra>",
        )
    )
    reach = max(0.1, 1.25 * max(abs(float(value)) for value in values))
    figure.update_xaxes(title=axis, type="category")
    figure.update_yaxes(title=quantity, range=[-reach, reach], zeroline=True)
    return framed(figure.update_layout(height=300))
