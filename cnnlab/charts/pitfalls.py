"""A mistake beside its fix: lines of trainings, points with their intervals."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from cnnlab.charts.style import framed
from cnnlab.palette import PALETTE

HEIGHT = 340  # pixels
MARGIN = 0.1  # of the range of points, on each side
_COLOURS = (PALETTE[1], PALETTE[0])  # of the first way, the mistake, and of the second
_DASHES = ("solid", "dot")  # of a way's parts
_MARK = {"color": PALETTE[8], "dash": "dash", "width": 1}


def beside_lines(
    rows: pd.DataFrame,
    titles: tuple[str, str],
    levels: Mapping[str, float],
    places: Mapping[str, float],
    highest: float | None = None,
    from_zero: bool = True,
) -> go.Figure:
    """Plot a line for each way and part, from columns way, part, x, y; ``titles`` are the axes'.

    ``levels`` are marked on the y axis, ``places`` on the x axis; values above ``highest`` are cut off.
    """
    figure = go.Figure()
    for colour, (way, own) in zip(_COLOURS, rows.groupby("way", sort=False), strict=False):
        for dash, (part, line) in zip(_DASHES, own.groupby("part", sort=False), strict=False):
            name = ": ".join(filter(None, (str(way), str(part))))
            figure.add_trace(_line(line, name, {"color": colour, "dash": dash, "width": 2}, titles))
    for text, level in levels.items():
        figure.add_hline(level, line=_MARK, annotation=_note(text))
    for text, place in places.items():
        figure.add_vline(place, line=_MARK, annotation=_note(text))
    figure.update_xaxes(rangemode="tozero")
    if from_zero:
        top = rows["y"].max() * 1.05
        figure.update_yaxes(range=[0, top if highest is None else min(top, highest)])
    return _titled(figure, titles)


def beside_points(rows: pd.DataFrame, titles: tuple[str, str]) -> go.Figure:
    """Plot a point with its interval for each way and name x, side by side, from columns way, x, y, low, high."""
    ways = zip(_COLOURS, rows.groupby("way", sort=False), strict=False)
    figure = go.Figure([_points(own, str(way), colour, titles) for colour, (way, own) in ways])
    figure.update_xaxes(type="category", categoryorder="array", categoryarray=list(rows["x"].unique()))
    low, high = rows["low"].min(), rows["high"].max()
    figure.update_yaxes(range=[low - MARGIN * (high - low), high + MARGIN * (high - low)])
    return _titled(figure.update_layout(scattermode="group", scattergap=0.6), titles)


def _line(rows: pd.DataFrame, name: str, line: Mapping[str, object], titles: tuple[str, str]) -> go.Scatter:
    return go.Scatter(
        x=rows["x"],
        y=rows["y"],
        name=name,
        mode="lines+markers" if len(rows) <= 10 else "lines",
        line=line,
        hovertemplate=f"{titles[0]} %{{x}}: %{{y:{_form(titles[1])}}}<extra>{name}</extra>",
    )


def _points(rows: pd.DataFrame, name: str, colour: str, titles: tuple[str, str]) -> go.Scatter:
    form = _form(titles[1])
    return go.Scatter(
        x=rows["x"],
        y=rows["y"],
        error_y={"array": rows["high"] - rows["y"], "arrayminus": rows["y"] - rows["low"], "thickness": 1.5},
        name=name,
        mode="markers",
        marker={"color": colour, "size": 10},
        customdata=rows[["low", "high"]],
        hovertemplate=f"%{{x}}: %{{y:{form}}} (%{{customdata[0]:{form}}} to %{{customdata[1]:{form}}})"
        f"<extra>{name}</extra>",
    )


def _titled(figure: go.Figure, titles: tuple[str, str]) -> go.Figure:
    figure.update_xaxes(title=titles[0])
    figure.update_yaxes(title=titles[1], tickformat=".0%" if _is_share(titles[1]) else None)
    return framed(figure.update_layout(height=HEIGHT))


def _form(title: str) -> str:
    return ".1%" if _is_share(title) else ".3f"


def _is_share(title: str) -> bool:
    return "accuracy" in title


def _note(text: str) -> dict[str, object]:
    return {"text": text, "font": {"size": 11}}
