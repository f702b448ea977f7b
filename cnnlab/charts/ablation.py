"""Several seeds of several trainings: every dot, means with their spread, differences with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go

from cnnlab.charts.style import PERCENT, framed
from cnnlab.palette import PALETTE

COLOURS = {  # by verdict
    "better": PALETTE[2],
    "worse": PALETTE[3],
    "within chance": PALETTE[8],
    "needs two seeds": PALETTE[8],
}
_SPREAD = 0.4  # of a row's height: seeds lie one below the other, so that a pair is found in all rows


def dots(accuracies: Mapping[str, Sequence[float]], rows: pd.DataFrame, seeds: int) -> go.Figure:
    """Plot a row a training: a dot a seed, and mean ± standard deviation; ``rows`` has columns name, mean, sd."""
    figure = go.Figure()
    for row, values in enumerate(accuracies.values()):
        figure.add_trace(
            go.Scatter(
                x=list(values),
                y=[row + _SPREAD * (seed / max(1, seeds - 1) - 0.5) for seed in range(len(values))],
                customdata=list(range(len(values))),
                mode="markers",
                marker={"color": PALETTE[8] if row == 0 else PALETTE[0], "size": 8, "opacity": 0.65},
                name="one seed",
                showlegend=row == 0,
                hovertemplate="seed %{customdata}: %{x:.1%}<extra></extra>",
            )
        )
    figure.add_trace(
        go.Scatter(
            x=rows["mean"],
            y=list(range(len(rows))),
            error_x={"array": rows["sd"].fillna(0), "color": PALETTE[1], "thickness": 2, "width": 6},
            mode="markers",
            marker={"color": PALETTE[1], "size": 11, "symbol": "diamond"},
            name="mean ± sd",
            hovertemplate="mean %{x:.1%}<extra></extra>",
        )
    )
    figure.update_xaxes(title="accuracy on images not learned from", tickformat=PERCENT)
    return _in_rows(figure, rows)


def intervals(rows: pd.DataFrame) -> go.Figure:
    """Plot each training's difference to the first in points, with its interval, coloured by its verdict.

    ``rows`` has columns name, difference, low, high (fractions) and verdict.
    """
    figure = go.Figure()
    for verdict, colour in COLOURS.items():
        places = [place for place, found in enumerate(rows["verdict"]) if found == verdict and place]
        chosen = rows.iloc[places]
        if chosen.empty:
            continue
        figure.add_trace(
            go.Scatter(
                x=100 * chosen["difference"],
                y=places,
                error_x={"array": 100 * (chosen["high"] - chosen["difference"]).fillna(0), "thickness": 3, "width": 8},
                mode="markers",
                marker={"color": colour, "size": 11},
                name=verdict,
                hovertemplate="%{x:+.1f} points<extra></extra>",
            )
        )
    figure.add_vline(0, line={"color": PALETTE[8], "dash": "dot", "width": 2})
    figure.update_xaxes(title=f"difference to “{rows['name'].iloc[0]}”, points", tickformat="+")
    return _in_rows(figure, rows)


def _in_rows(figure: go.Figure, rows: pd.DataFrame) -> go.Figure:
    figure.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=list(rows["name"]),
        range=[len(rows) - 0.5, -0.5],
        automargin=True,
        zeroline=False,
    )
    return framed(figure)
