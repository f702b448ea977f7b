"""The frame of every figure, and names and long lines made fit for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from math import ceil, floor, isfinite, log10
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from cnnlab.palette import PALETTE
from cnnlab.text import one_line

TRAIN, VALIDATION = PALETTE[0], PALETTE[1]
NEGATIVE, POSITIVE = PALETTE[3], PALETTE[0]
ERROR = PALETTE[3]
PERCENT = ".2~%"  # of an axis's ticks, which may lie close together
FULL = 1.01  # of a share's axis: all, and room for its marker
MAX_NAME = 20  # characters of a class's name beside an axis; hovering tells the whole
TILE_NAME = 9  # above a picture of a row
SMALL, LARGE = 12, 13  # pixels of letters: all of a chart's, and its title
APART = 17  # pixels from the middle of a label to that of the next
PLOT_HEIGHT = 260  # pixels of a chart among others
AXIS_SHARE = 0.55  # of it, from the lowest to the highest point: the rest is title, axis and margins
TINY = 1e-12  # in place of zero where a logarithm is taken
MAX_POINTS = 500  # of a line, about its width in pixels: more only costs the browser

Plot = dict[str, Any]  # a figure as plotly's JSON has it, unchecked: a go.Figure takes 10 ms, too long for each tick
Numbers = npt.NDArray[np.floating]
Scale = list[tuple[float, str]]
_Item = TypeVar("_Item")


def faded(colour: str, strength: float) -> str:
    """Return a colour "#rrggbb" that lets the page through: at strength 0 nothing is seen of it."""
    return f"rgba({_bands(colour)}, {strength:g})"


def _bands(colour: str) -> str:
    return ", ".join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))


# From nothing to much: feature maps, attention, densities. Zero looks like the page, be it light or dark.
SEQUENTIAL: Scale = [(0.0, faded(POSITIVE, 0)), (1.0, faded(POSITIVE, 1))]
# Below zero and above: weights, gradients, what speaks for and against.
DIVERGING: Scale = [
    (0.0, faded(NEGATIVE, 1)),
    (0.5, faded(NEGATIVE, 0)),
    (0.5, faded(POSITIVE, 0)),
    (1.0, faded(POSITIVE, 1)),
]
# The same on white, where numbers are written upon it.
_WHITE = "#ffffff"
ON_WHITE: Scale = [(at, f"rgb({_bands(end)})") for at, end in ((0.0, NEGATIVE), (0.5, _WHITE), (1.0, POSITIVE))]


_FEW_POWERS, _MOST_POWERS = 2, 7  # of ten along an axis: few have labels between them, many are not all labelled
_SHORT = 0.001  # smaller numbers are written as powers


_AXIS: dict[str, dict[str, Any]] = {"tickfont": {"size": SMALL}, "title": {"font": {"size": SMALL}}}
_FRAME = {
    "margin": {"l": 10, "r": 10, "t": 30, "b": 10},
    "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0, "font": {"size": SMALL}},
    "hovermode": "closest",
    "hoverlabel": {"font": {"size": SMALL}},
}


def framed(figure: go.Figure) -> go.Figure:
    """Give a figure the app's margins, type sizes and legend, and horizontal grid lines unless its axes say more."""
    figure.update_xaxes(_AXIS).update_yaxes(_AXIS)
    figure.for_each_xaxis(lambda axis: axis.update(showgrid=bool(axis.showgrid)))
    return figure.update_layout(_FRAME)


def framed_layout(x_axis: dict[str, Any], y_axis: dict[str, Any]) -> dict[str, Any]:
    """Return the layout of a plot in the app's frame, as ``framed`` gives it to a figure."""
    both = {"xaxis": {"showgrid": False} | x_axis, "yaxis": y_axis}
    axes = {name: _AXIS | axis | {"title": _AXIS["title"] | axis.get("title", {})} for name, axis in both.items()}
    return _FRAME | axes


def log_axis(values: Iterable[float]) -> dict[str, Any]:
    """Choose a logarithmic axis for ``values`` with whole labels: 1, 2 and 5 of each power of ten, or powers alone."""
    logs = [log10(value) for value in values if value > 0 and isfinite(value)] or [0.0]
    low, high = floor(min(logs)), ceil(max(logs))
    steps = (1, 2, 5) if max(logs) - min(logs) <= _FEW_POWERS else (1,)
    apart = ceil((high - low + 1) / _MOST_POWERS)
    ticks = [step * 10.0**power for power in range(low, high + 1, apart) for step in steps]
    names = [f"{tick:g}" if _SHORT <= tick <= 1 / _SHORT else f"10<sup>{round(log10(tick))}</sup>" for tick in ticks]
    return {"type": "log", "tickmode": "array", "tickvals": ticks, "ticktext": names}


def titled(figure: go.Figure, title: str) -> go.Figure:
    """Write what the y axis shows above the plot, where it takes no width; lines are labelled at their ends."""
    return figure.update_layout(title_layout(title))


def title_layout(title: str) -> dict[str, Any]:
    """Return the layout that ``titled`` gives a figure."""
    corner = {"x": 0, "y": 1, "xanchor": "left", "yanchor": "top", "xref": "container", "yref": "container"}
    look = {"font": {"size": LARGE}, "pad": {"t": 4, "l": 4}}
    return {"title": {"text": title, **corner, **look}, "showlegend": False}


def end_labels(
    lines: Iterable[Mapping[str, Any]], labels: Mapping[str, str], y_axis: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return annotations with labels, by the names of lines, at their ends: those that end together stand apart.

    Plotly makes room for them, as it does for all annotations.
    """
    drawn = [line for line in lines if line["y"] is not None and len(line["y"])]
    is_log = y_axis.get("type") == "log"
    every = [float(value) for line in drawn for value in line["y"] if not is_log or value > 0]
    low = min(every, default=0.0) if is_log or y_axis.get("rangemode") != "tozero" else 0.0
    bottom, top = (log10(max(end, TINY)) if is_log else end for end in (low, max(every, default=1.0)))
    named = [line for line in drawn if line["name"] in labels]
    ends = [log10(max(float(line["y"][-1]), TINY)) if is_log else float(line["y"][-1]) for line in named]
    heights = [(end - bottom) / ((top - bottom) or 1.0) * PLOT_HEIGHT * AXIS_SHARE for end in ends]
    return [
        {
            "x": line["x"][-1],
            "y": end,
            "yshift": shift,
            "text": f"<b>{plain(labels[line['name']])}</b>",
            "font": {"color": line["line"]["color"], "size": SMALL},
            "showarrow": False,
            "xanchor": "left",
            "xshift": 5,
        }
        for line, end, shift in zip(named, ends, _shifts([line["x"][-1] for line in named], heights), strict=True)
    ]


def _shifts(places: Sequence[float], heights: Sequence[float]) -> list[int]:
    """Return by how much labels move up, so that those at one place cover neither each other nor the axis's ticks."""
    shifts = [0] * len(places)
    for place in set(places):
        order = sorted((at for at in range(len(places)) if places[at] == place), key=heights.__getitem__)
        moved = [heights[at] for at in order]
        for number in range(1, len(order)):
            moved[number] = max(moved[number], moved[number - 1] + APART)
        middle = sum(new - heights[at] for new, at in zip(moved, order, strict=True)) / len(order)
        for new, at in zip(moved, order, strict=True):
            shifts[at] = round(new - heights[at] - middle + max(0.0, APART / 2 - (moved[0] - middle)))
    return shifts


def plain(name: str) -> str:
    """Write a name so that plotly, which reads some HTML and fills templates in, shows it as it was typed."""
    return one_line(name).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("%{", "&#37;{")


def fitted(names: Iterable[str], length: int = MAX_NAME) -> dict[str, str]:
    """Write each name as ``plain`` does, a long one cut to ``length`` and still unlike all others."""
    typed = {name: one_line(name) for name in names}
    short = {name: text for name, text in typed.items() if len(text) <= length}
    taken = set(short.values())
    for name, text in typed.items():
        if name not in short:
            short[name] = next(cut for cut in _cuts(text, length) if cut not in taken)
            taken.add(short[name])
    return {name: plain(short[name]) for name in typed}


def _cuts(text: str, length: int) -> Iterator[str]:
    yield f"{text[: length - 1].rstrip()}…"
    for number in count(2):
        end = f"… {number}"
        yield text[: length - len(end)].rstrip() + end


def thinned(records: Sequence[_Item]) -> Sequence[_Item]:
    """Keep every k-th record and the last, MAX_POINTS at the most."""
    stride = ceil(len(records) / (MAX_POINTS - 1)) or 1
    return records if stride == 1 else [*records[:-1:stride], records[-1]]


def metric_layout(metric: str, values: Sequence[float], split: str = "", log: bool = False) -> dict[str, Any]:
    """Return title and y axis of the chart of "accuracy" or "loss", of a loss logarithmic if wanted.

    ``split`` goes before the metric's name, ``values`` are all that the chart shows.
    """
    axis: dict[str, Any]
    if metric == "accuracy":
        axis = {"tickformat": PERCENT, "rangemode": "nonnegative", "autorangeoptions": {"clipmax": FULL}}
    elif log:
        axis = {"type": "log", **_powers(values)}
    else:
        axis = {"rangemode": "tozero"}
    name = f"{split}{'accuracy' if metric == 'accuracy' else 'loss (cross-entropy)'}"
    return {"yaxis": axis, **title_layout(f"{name[:1].upper()}{name[1:]}")}


def _powers(values: Sequence[float]) -> dict[str, Any]:
    """Return ticks for a logarithmic axis: 0.01, 0.02, 0.05, 0.1 …, of more than two decades the powers of ten."""
    known = [value for value in values if value and value > 0]
    if not known:
        return {}
    first, last = floor(log10(min(known))), ceil(log10(max(known)))
    factors = (1, 2, 5) if last - first <= 2 else (1,)
    ticks = [factor * 10.0**power for power in range(first, last + 1) for factor in factors]
    return {"tickvals": ticks, "ticktext": [f"{tick:.12g}" if tick >= 1e-4 else f"{tick:.0e}" for tick in ticks]}
