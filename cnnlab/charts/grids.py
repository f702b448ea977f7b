"""Grids of a few numbers, each written in its cell."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import plotly.graph_objects as go

from cnnlab.charts.style import DIVERGING, Numbers
from cnnlab.charts.tiles import bare
from cnnlab.palette import PALETTE

CELL_HEIGHT = 44  # pixels on the page, where there is room
FEEDING, CHOSEN = PALETTE[1], PALETTE[2]  # the colours of outlines: what feeds an output; what was chosen
_INK = "#1b2430"  # on the palette's colours
_EMPTY = "rgba(128,128,128,0.15)"

Cell = tuple[int, int]  # row, column


def number_grid(
    values: Numbers,
    quantity: str,
    feeding: Collection[Cell] = (),
    chosen: Cell | None = None,
    limit: float | None = None,
    empty: str = "",
) -> go.Figure:
    """Numbers (H, W) in cells, red below zero, white, blue above, to ±``limit``, by default the largest.

    Cells of ``feeding`` and the ``chosen`` one are outlined. NaN stands for a cell without a number: ``empty`` is
    written there.
    """
    reach = limit or float(np.nanmax(np.abs(values), initial=0.0)) or 1.0
    texts = [[empty if np.isnan(value) else written(value) for value in row] for row in values]
    figure = go.Figure(
        go.Heatmap(
            z=values,
            text=texts,
            texttemplate="%{text}",
            colorscale=DIVERGING,
            zmin=-reach,
            zmax=reach,
            showscale=False,
            xgap=1,
            ygap=1,
            hovertemplate="row %{y}, column %{x}: %{text} " + quantity + "<extra></extra>",
            hoverongaps=False,
        )
    )
    for row, column in np.argwhere(np.isnan(values)):
        _write(figure, (row, column), empty)
    _outline(figure, feeding, FEEDING)
    _outline(figure, [chosen] if chosen else [], CHOSEN)
    return bare(figure, 20 + CELL_HEIGHT * len(values))


def coloured_grid(values: Numbers, groups: Numbers, chosen: Collection[Cell]) -> go.Figure:
    """Whole numbers (H, W) in cells, each in its group's colour, 0, 1, …; chosen ones are outlined."""
    count = int(np.nanmax(groups)) + 1
    colours = [PALETTE[group % len(PALETTE)] for group in range(count)]
    steps = [(edge / count, colour) for group, colour in enumerate(colours) for edge in (group, group + 1)]
    figure = go.Figure(
        go.Heatmap(
            z=groups,
            text=[["" if np.isnan(value) else f"{value:.0f}" for value in row] for row in values],
            texttemplate="%{text}",
            colorscale=steps,
            zmin=-0.5,
            zmax=count - 0.5,
            showscale=False,
            xgap=1,
            ygap=1,
            hoverinfo="skip",
            opacity=0.9,
        )
    )
    _outline(figure, chosen, _INK)
    return bare(figure, 20 + CELL_HEIGHT * len(values))


def written(value: float) -> str:
    """As in a cell: three digits that count, a true minus."""
    return f"{value + 0.0:.3g}".replace("-", "−")


def _write(figure: go.Figure, cell: Cell, text: str) -> None:
    """On a pale cell: what lies in the padding."""
    row, column = cell
    _rectangle(figure, cell, fillcolor=_EMPTY, line={"width": 0})
    figure.add_annotation(x=column, y=row, text=text, showarrow=False)


def _outline(figure: go.Figure, cells: Collection[Cell] | Sequence[Cell], colour: str) -> None:
    for cell in cells:
        _rectangle(figure, cell, line={"color": colour, "width": 3})


def _rectangle(figure: go.Figure, cell: Cell, **look: object) -> None:
    row, column = int(cell[0]), int(cell[1])
    figure.add_shape(type="rect", x0=column - 0.46, x1=column + 0.46, y0=row - 0.46, y1=row + 0.46, **look)
