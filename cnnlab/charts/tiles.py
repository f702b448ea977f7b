"""Small pictures side by side: filters, feature maps, patches. A click on a tile tells its number."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, sqrt

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from cnnlab.charts.png import inline, inline_photo
from cnnlab.charts.style import DIVERGING, SEQUENTIAL, Numbers, Scale, framed, plain
from cnnlab.palette import PALETTE

MAX_CELLS = 60_000  # of a grid; beyond that every k-th row and column of each tile is shown
TILE_HEIGHT = 64  # pixels on the page, where there is room
MAX_HEIGHT = 640
PHONE, LINE = 390, 14  # pixels: the width of a figure on a phone, the height of a line of a title
PHOTO_WIDTH, PHOTO_HEIGHT = 640, 450  # pixels on the page, at the most

_ZOOMING = ["zoom", "pan", "zoomin", "zoomout", "autoscale", "resetscale"]


def filter_grid(
    weights: Numbers,
    units: Sequence[int] = (),
    notes: Sequence[str] = (),
    flagged: Sequence[int] = (),
    limit: float | None = None,
) -> go.Figure:
    """Draw a tile per filter (N, height, width) on a diverging scale to ±``limit``, by default the largest weight.

    ``units`` are the filters' numbers, by default 0, 1, …; hovering shows ``notes``; ``flagged`` units are crossed
    out.
    """
    limit = limit or float(np.abs(weights).max()) or 1.0
    return _mosaic(weights, (DIVERGING, -limit, limit, "weight"), units, notes, flagged)


def feature_map_grid(
    maps: Numbers, units: Sequence[int] = (), notes: Sequence[str] = (), own_scale: bool = False
) -> go.Figure:
    """Draw a tile per feature map (N, height, width), all on one scale so that they compare, or each on its own.

    Where values fall below zero the scale is the diverging one, with zero in its middle.
    """
    if own_scale:
        lowest, highest = maps.min((1, 2), keepdims=True), maps.max((1, 2), keepdims=True)
        shares = (maps - lowest) / np.maximum(highest - lowest, 1e-12)
        return _mosaic(shares, (SEQUENTIAL, 0.0, 1.0, "share of<br>own range"), units, notes)
    return _mosaic(maps, (*scale_of(maps), "activation"), units, notes)


def picture(values: Numbers, quantity: str, height: int = 320) -> go.Figure:
    """Draw a map (H, W) enlarged, with values on hovering; diverging where values fall below zero."""
    scale, low, high = scale_of(values)
    return bare(_heatmap(values, scale, low, high, quantity), height)


def tile_strip(
    pictures: Sequence[npt.NDArray[np.uint8]], titles: Sequence[str], columns: int = 9, units: Sequence[int] = ()
) -> go.Figure:
    """Draw images (H, W, C) of one size side by side, a title each; a click returns their ``units``."""
    height, width, channels = pictures[0].shape
    rows, columns = ceil(len(pictures) / columns), min(columns, len(pictures))
    lines = max(title.count("<br>") for title in titles) + 1
    gap = max(1, width // 8)
    enlarged = PHONE / (columns * (width + gap))  # pixels there for each of an image
    head = max(2, height * lines // 4, ceil(LINE * lines / enlarged))
    sheet = np.zeros((rows * (height + head), columns * (width + gap), 4), np.uint8)  # transparent
    figure = go.Figure()
    for index, (pixels, title) in enumerate(zip(pictures, titles, strict=True)):
        top, left = index // columns * (height + head) + head, index % columns * (width + gap)
        sheet[top : top + height, left : left + width] = 255
        sheet[top : top + height, left : left + width, :3] = pixels if channels == 3 else pixels.repeat(3, 2)
        figure.add_annotation(
            x=left + width / 2, y=top - 0.5, text=title, showarrow=False, yanchor="bottom", font={"size": 11}
        )
    # As a file, for a browser draws numbers pixel by pixel.
    figure.add_trace(go.Image(source=inline(sheet), hoverinfo="skip"))
    if units:
        places = range(len(pictures))
        figure.add_trace(
            go.Scatter(
                x=[place % columns * (width + gap) + width / 2 for place in places],
                y=[place // columns * (height + head) + head + height / 2 for place in places],
                customdata=[[unit] for unit in units],
                mode="markers",
                marker={"size": 40, "opacity": 0, "symbol": "square"},
                hovertemplate="click to open<extra></extra>",
                showlegend=False,
            )
        )
        figure.update_layout(hoverdistance=-1)
    figure.update_layout(modebar={"remove": _ZOOMING})  # its buttons would lie over the titles
    bare(figure, 20 + (80 + 18 * lines) * rows)
    figure.update_xaxes(range=[-0.5, sheet.shape[1] - 0.5])  # markers would make room beyond
    return figure.update_yaxes(autorange=False, range=[sheet.shape[0] - 0.5, -0.5])


def scale_of(values: Numbers) -> tuple[Scale, float, float]:
    """Return the scale of maps and its ends: diverging, with zero in its middle, where values fall below zero."""
    low, high = float(values.min()), float(values.max())
    if low < 0:
        limit = max(-low, high)
        return DIVERGING, -limit, limit
    return SEQUENTIAL, 0.0, high or 1.0


def _mosaic(
    tiles: Numbers,
    scale: tuple[Scale, float, float, str],
    units: Sequence[int] = (),
    notes: Sequence[str] = (),
    flagged: Sequence[int] = (),
) -> go.Figure:
    """Draw tiles in rows with a gap between, each with an invisible marker to hover and click."""
    units = units or range(len(tiles))
    step = ceil(sqrt(max(1.0, tiles.size / MAX_CELLS)))
    tiles = tiles[:, ::step, ::step]
    count, height, width = tiles.shape
    columns = min(count, 8 if count <= 32 else 16)
    rows = ceil(count / columns)
    gap = max(1, width // 8)
    grid = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap), np.nan, np.float32)
    corners = [(index // columns * (height + gap), index % columns * (width + gap)) for index in range(count)]
    for (top, left), tile in zip(corners, tiles, strict=True):
        grid[top : top + height, left : left + width] = tile
    figure = _heatmap(grid, *scale)
    figure.update_traces(hoverinfo="skip", hovertemplate=None)
    figure.add_trace(
        go.Scatter(
            x=[left + (width - 1) / 2 for _, left in corners],
            y=[top + (height - 1) / 2 for top, _ in corners],
            customdata=[[unit, note] for unit, note in zip(units, notes or [""] * count, strict=True)],
            mode="markers",
            marker={
                "symbol": ["x-thin" if unit in flagged else "square" for unit in units],
                "opacity": [1.0 if unit in flagged else 0.0 for unit in units],
                "size": [14 if unit in flagged else 24 for unit in units],
                "line": {"width": [2 if unit in flagged else 0 for unit in units], "color": PALETTE[1]},
            },
            hovertemplate="#%{customdata[0]}<br>%{customdata[1]}<extra></extra>",
            showlegend=False,
        )
    )
    figure.update_layout(hoverdistance=-1)  # the whole tile answers, not only its middle
    return bare(figure, min(MAX_HEIGHT, 20 + TILE_HEIGHT * rows))


def _heatmap(values: Numbers, scale: Scale, low: float, high: float, quantity: str) -> go.Figure:
    return go.Figure(
        go.Heatmap(
            z=values,
            colorscale=scale,
            zmin=low,
            zmax=high,
            colorbar={"title": quantity, "thickness": 12, "exponentformat": "e"},
            hovertemplate="row %{y}, column %{x}: %{z:.3g}<extra></extra>",
            hoverongaps=False,
        )
    )


def bare(figure: go.Figure, height: int) -> go.Figure:
    """Give a figure square pixels, the first row on top, and no axes."""
    figure.update_xaxes(visible=False, constrain="domain")
    figure.update_yaxes(visible=False, autorange="reversed", scaleanchor="x", constrain="domain")
    framed(figure)
    margin = {"l": 0, "r": 0, "t": 8, "b": 8}
    return figure.update_layout(height=height, plot_bgcolor="rgba(0,0,0,0)", margin=margin)


def photo(pixels: npt.NDArray[np.uint8], height: int = 320) -> go.Figure:
    """Draw an image (H, W, C) enlarged, with sharp pixels."""
    colours = pixels if pixels.shape[2] == 3 else pixels.repeat(3, 2)
    return bare(go.Figure(go.Image(z=colours, hovertemplate="row %{y}, column %{x}: %{z}<extra></extra>")), height)


def _box(corners: Numbers, notes: Sequence[str], colour: str) -> go.Scatter:
    """Outline a box, which shows its notes where the pointer is within."""
    x, y = np.vstack([corners, corners[:1]]).T
    return go.Scatter(
        x=x,
        y=y,
        mode="lines",
        fill="toself",
        fillcolor="rgba(0,0,0,0)",
        hoveron="fills",
        line={"color": colour, "width": 2},
        name="<br>".join(map(plain, notes)),
        hoverinfo="name",
        hoverlabel={"namelength": -1},
        showlegend=False,
    )


def boxed_photo(
    pixels: npt.NDArray[np.uint8],
    boxes: Sequence[Numbers],
    labels: Sequence[str],
    notes: Sequence[Sequence[str]],
    flagged: Sequence[bool],
) -> go.Figure:
    """Draw a photo (H, W, 3) with labelled boxes, each by its corners (4, 2); hovering shows the lines of its notes.

    Flagged boxes have another colour and a question mark.
    """
    height = 32 + round(min(PHOTO_HEIGHT, PHOTO_WIDTH * pixels.shape[0] / pixels.shape[1]))
    figure = go.Figure(go.Image(source=inline_photo(pixels), hoverinfo="skip"))
    for box, label, lines, doubtful in zip(boxes, labels, notes, flagged, strict=True):
        colour = PALETTE[1] if doubtful else PALETTE[0]
        figure.add_trace(_box(box, lines, colour))
        figure.add_annotation(
            x=box[0, 0],
            y=box[:2, 1].min(),
            text=plain(f"{label}?" if doubtful else label),
            showarrow=False,
            xanchor="left",
            yanchor="bottom",
            bgcolor=colour,
            borderpad=1,
            font={"color": "white", "size": 14},
        )
    bare(figure, height).update_layout(margin={"t": 24})
    return figure.update_yaxes(constraintoward="top")
