"""Grids of a few numbers, each written in its cell."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import numpy as np
import plotly.graph_objects as go

from cnnlab.charts.style import ON_WHITE, Numbers
from cnnlab.charts.tiles import bare
from cnnlab.palette import PALETTE

CELL_HEIGHT = 44  # pixels on the page, where there is room
FEEDING, CHOSEN = PALETTE[1], PALETTE[2]  # the colours of outlines: what feeds an output; what was chosen
FOLLOWED = PALETTE[3]  # of a cell among coloured ones
_PALE = 2.0  # times the largest number: its cell has half the scale's depth, so that all digits can be read
_EMPTY = "rgba(128,128,128,0.15)"

Cell = tuple[int, int]  # row, column


def number_grid(
    values: Numbers,
    quantity: str,
    feeding: Collection[Cell] = (),
    chosen: Cell | None = None,
    limit: float | None = None,
    empty: str = "",
    rows: Sequence[str] = (),
    columns: Sequence[str] = (),
) -> go.Figure:
    """Draw numbers (H, W) in cells, red below zero, blue above, deepest at ±``limit``, by default the largest.

    Cells of ``feeding`` and the ``chosen`` one are outlined. A cell of NaN shows ``empty`` instead. ``rows`` and
    ``columns`` are names beside and above, with which cells take all the width there is.
    """
    figure = go.Figure(_numbers(values, quantity, limit, empty))
    for row, column in np.argwhere(np.isnan(values)).tolist():
        _write(figure, (row, column), empty)
    _outline(figure, feeding, FEEDING)
    _outline(figure, [chosen] if chosen else [], CHOSEN)
    bare(figure, 20 + CELL_HEIGHT * len(values))
    if rows:
        _name(figure.update_yaxes, rows, scaleanchor=None)
    if columns:
        _name(figure.update_xaxes, columns, side="top", tickangle=0)
        figure.update_layout(height=44 + CELL_HEIGHT * len(values), margin={"t": 28})
    return figure


def _numbers(values: Numbers, quantity: str, limit: float | None, empty: str) -> go.Heatmap:
    reach = _PALE * (limit or float(np.nanmax(np.abs(values), initial=0.0)) or 1.0)
    return go.Heatmap(
        z=values,
        text=[[empty if np.isnan(value) else written(value) for value in row] for row in values],
        texttemplate="%{text}",
        colorscale=ON_WHITE,
        zmin=-reach,
        zmax=reach,
        showscale=False,
        xgap=1,
        ygap=1,
        hovertemplate="row %{y}, column %{x}: %{text} " + quantity + "<extra></extra>",
        hoverongaps=False,
    )


def _name(update_axis: Callable[..., go.Figure], names: Sequence[str], **look: object) -> None:
    """Write the names along an axis."""
    update_axis(visible=True, showgrid=False, tickvals=list(range(len(names))), ticktext=list(names), ticks="", **look)


def coloured_grid(values: Numbers, groups: Numbers, chosen: Cell) -> go.Figure:
    """Draw whole numbers (H, W) in cells, each in the colour of its group, 0, 1 or 2; the chosen one has its own."""
    colours = [*PALETTE[:3], FOLLOWED]
    steps = [(edge / 4, colour) for group, colour in enumerate(colours) for edge in (group, group + 1)]
    shades = groups.copy()
    shades[chosen] = colours.index(FOLLOWED)
    figure = go.Figure(
        go.Heatmap(
            z=shades,
            text=[["" if np.isnan(value) else f"{value:.0f}" for value in row] for row in values],
            texttemplate="%{text}",
            textfont={"color": "white", "size": 13},
            colorscale=steps,
            zmin=-0.5,
            zmax=3.5,
            showscale=False,
            xgap=1,
            ygap=1,
            hoverinfo="skip",
        )
    )
    return bare(figure, 20 + CELL_HEIGHT * len(values))


def written(value: float) -> str:
    """Format a number as in a cell: three significant digits, a true minus."""
    return f"{value + 0.0:.3g}".replace("-", "−")


def bracketed(value: float) -> str:
    """Format a number as a term of a sum or a product."""
    return f"({written(value)})" if value < 0 else written(value)


def _write(figure: go.Figure, cell: Cell, text: str) -> None:
    """Write text on a pale cell, which lies in the padding."""
    row, column = cell
    _rectangle(figure, cell, cell, fillcolor=_EMPTY, line={"width": 0})
    figure.add_annotation(x=column, y=row, text=text, showarrow=False)


def _outline(figure: go.Figure, cells: Collection[Cell], colour: str) -> None:
    """Outline all cells at once where they fill a rectangle, else each by itself."""
    if not cells:
        return
    line = {"color": colour, "width": 3}
    rows, columns = ({int(cell[axis]) for cell in cells} for axis in (0, 1))
    first, last = (min(rows), min(columns)), (max(rows), max(columns))
    if len(cells) == (last[0] - first[0] + 1) * (last[1] - first[1] + 1):
        _rectangle(figure, first, last, line=line)
        return
    for cell in cells:
        _rectangle(figure, cell, cell, line=line)


def _rectangle(figure: go.Figure, first: Cell, last: Cell, **look: object) -> None:
    """Outline the cells between two corners."""
    corners = {"x0": first[1] - 0.47, "x1": last[1] + 0.47, "y0": first[0] - 0.47, "y1": last[0] + 0.47}
    figure.add_shape(type="rect", **corners, **look)
