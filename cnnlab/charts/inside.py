"""Charts of Inside besides tiles: histograms over time, lines by layer, overlays, embeddings."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
from plotly.colors import sample_colorscale

from cnnlab.charts.style import DIVERGING, ON_WHITE, SEQUENTIAL, Numbers, fitted, framed, plain
from cnnlab.charts.tiles import bare
from cnnlab.palette import PALETTE

Line = Sequence[tuple[float, float]]  # points (x, y)


def spread(
    shares: Numbers, edges: Sequence[float], epochs: Sequence[int], quantity: str, now: int, is_log: bool = False
) -> go.Figure:
    """Plot a histogram an epoch: ``shares`` (epochs, bins) of the values between ``edges``; epoch ``now`` is marked."""
    names = [str(epoch) for epoch in epochs]
    figure = go.Figure(
        go.Heatmap(
            x=names,
            y=list(edges),
            z=np.sqrt(shares).T,
            customdata=shares.T,
            colorscale=SEQUENTIAL,
            showscale=False,
            hovertemplate="epoch %{x}, " + quantity + " %{y:.3g}: %{customdata:.1%}<extra></extra>",
        )
    )
    figure.update_xaxes(title="epoch", type="category")
    figure.update_yaxes(title=quantity, exponentformat="power", **({"type": "log", "dtick": 2} if is_log else {}))
    nearest = min(range(len(epochs)), key=lambda index: abs(epochs[index] - now))
    figure.add_vrect(nearest - 0.5, nearest + 0.5, line={"color": PALETTE[1], "width": 2}, fillcolor="rgba(0,0,0,0)")
    return framed(figure.update_layout(height=240))


def lines(
    values: Mapping[str, Sequence[float]],
    x: Sequence[float],
    titles: tuple[str, str],
    now: float | None = None,
    height: int = 300,
) -> go.Figure:
    """Plot a line a name over ``x``, shares as percent; ``titles`` are the axes', ``now`` is marked."""
    short = fitted(values)
    figure = go.Figure(
        [
            go.Scatter(
                x=list(x),
                y=list(line),
                name=short[name],
                mode="lines+markers",
                line={"color": PALETTE[number % len(PALETTE)], "width": 2},
                hovertemplate=titles[0] + " %{x}: %{y:.1%}<extra>" + plain(name) + "</extra>",
            )
            for number, (name, line) in enumerate(values.items())
        ]
    )
    if now is not None:
        figure.add_vline(now, line={"color": PALETTE[8], "dash": "dot"})
    figure.update_xaxes(title=titles[0], rangemode="tozero")
    figure.update_yaxes(title=titles[1], tickformat=".0%", rangemode="tozero")
    return framed(figure.update_layout(height=height))


def overlay(grey: Numbers, values: Numbers, signed: bool, on_image: bool, limit: float | None = None) -> go.Figure:
    """Draw a map (H, W), alone or over the image in grey; colours end at ``limit``, by default its largest value."""
    reach = limit or float(np.abs(values).max()) or 1.0
    figure = go.Figure()
    if on_image:
        figure.add_trace(go.Heatmap(z=grey, colorscale="Greys", reversescale=True, showscale=False, hoverinfo="skip"))
    figure.add_trace(
        go.Heatmap(
            z=values,
            colorscale=DIVERGING if signed else SEQUENTIAL,
            zmin=-reach if signed else 0.0,
            zmax=reach,
            colorbar={"thickness": 12, "exponentformat": "e"},
            hovertemplate="row %{y}, column %{x}: %{z:.3g}<extra></extra>",
        )
    )
    return bare(figure, 320)


def strokes(lines: Sequence[Line], middles: Line, support: Numbers) -> go.Figure:
    """Draw strokes, y down, numbered in their middles and coloured by their support for a class, in nats."""
    reach = float(np.abs(support).max()) or 1.0
    shares = support / (2 * reach) + 0.5
    colours = sample_colorscale([colour for _, colour in ON_WHITE], shares.tolist())
    figure = go.Figure()
    for width, shades in ((16, [PALETTE[8]] * len(lines)), (12, colours)):  # first a rim, for zero is white
        for line, colour in zip(lines, shades, strict=True):
            figure.add_trace(_pen(line, colour, width))
    figure.add_trace(
        go.Scatter(
            x=[x for x, _ in middles],
            y=[y for _, y in middles],
            mode="markers+text",
            text=[str(number) for number in range(1, len(lines) + 1)],
            textfont={"color": ["white" if abs(share - 0.5) > 0.3 else "black" for share in shares], "size": 12},
            marker={
                "color": support,
                "colorscale": ON_WHITE,
                "cmin": -reach,
                "cmax": reach,
                "size": 22,
                "line": {"color": PALETTE[8], "width": 2},
                "colorbar": {"title": "nats", "thickness": 12},
            },
            hovertemplate="%{text}: %{marker.color:.2f} nats<extra></extra>",
            showlegend=False,
        )
    )
    bare(figure, 380)
    points = np.array([point for line in lines for point in line])  # (P, 2)
    room = 0.05 * float(np.ptp(points, 0).max()) or 1.0  # for the lines' width
    (left, top), (right, bottom) = points.min(0) - room, points.max(0) + room
    return figure.update_xaxes(range=[left, right]).update_yaxes(range=[bottom, top], autorange=False)


def _pen(line: Line, colour: str, width: int) -> go.Scatter:
    """Draw a line with round ends and joins, ``width`` pixels thick."""
    x, y = zip(*line, strict=True)
    return go.Scatter(
        x=x,
        y=y,
        mode="lines+markers",
        line={"color": colour, "width": width},
        marker={"color": colour, "size": width},
        hoverinfo="skip",
        showlegend=False,
    )


def embedding(
    places: npt.NDArray[np.floating],
    groups: Sequence[str],
    notes: Sequence[str],
    names: Sequence[str],
    chosen: Collection[int] = (),
) -> go.Figure:
    """Plot images as points (N, 2) or (N, 3), a colour a group in the order of ``names``; customdata is the image.

    In two dimensions a loop can be drawn around points; those of the ``chosen`` images stand out.
    """
    members = {name: [index for index, group in enumerate(groups) if group == name] for name in names}
    figure, short = go.Figure(), fitted(names)
    for number, (name, own) in enumerate(members.items()):
        axes = dict(zip("xyz", np.asarray(places, np.float32)[own].T, strict=False))
        marked = [place for place, index in enumerate(own) if index in chosen] if len(axes) == 2 and chosen else None
        kind = go.Scatter3d if len(axes) == 3 else go.Scatter
        figure.add_trace(
            kind(
                **axes,
                name=short[name],
                mode="markers",
                marker={"color": PALETTE[number % len(PALETTE)], "size": 3 if len(axes) == 3 else 6, "opacity": 0.8},
                customdata=own,
                text=[plain(notes[index]) for index in own],
                hovertemplate="%{text}<extra></extra>",
                **({} if marked is None else {"selectedpoints": marked}),
            )
        )
    figure.update_layout(
        height=560,
        legend={"itemsizing": "constant"},
        dragmode="lasso" if places.shape[1] == 2 else None,
        selectionrevision=str(hash(tuple(sorted(chosen)))),
        scene={axis: {"title": "", "showticklabels": False} for axis in ("xaxis", "yaxis", "zaxis")},
    )
    figure.update_xaxes(showticklabels=False)
    figure.update_yaxes(showticklabels=False, scaleanchor="x")
    return framed(figure)
