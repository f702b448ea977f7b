"""The frame of every figure, and names and long lines made fit for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
MAX_POINTS = 500  # of a line, about its width in pixels: more only costs the browser

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


def framed(figure: go.Figure) -> go.Figure:
    """Give a figure the app's margins and legend."""
    return figure.update_layout(
        margin={"l": 10, "r": 10, "t": 30, "b": 10},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0},
        hovermode="closest",
    )


def log_axis(values: Iterable[float]) -> dict[str, Any]:
    """Choose a logarithmic axis for ``values`` with whole labels: 1, 2 and 5 of each power of ten, or powers alone."""
    logs = [log10(value) for value in values if value > 0 and isfinite(value)] or [0.0]
    low, high = floor(min(logs)), ceil(max(logs))
    steps = (1, 2, 5) if max(logs) - min(logs) <= _FEW_POWERS else (1,)
    apart = ceil((high - low + 1) / _MOST_POWERS)
    ticks = [step * 10.0**power for power in range(low, high + 1, apart) for step in steps]
    names = [f"{tick:g}" if _SHORT <= tick <= 1 / _SHORT else f"10<sup>{round(log10(tick))}</sup>" for tick in ticks]
    return {"type": "log", "tickmode": "array", "tickvals": ticks, "ticktext": names}


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


def metric_axis(figure: go.Figure, metric: str, split: str = "") -> None:
    """Name the y axis for "accuracy" or "loss"; ``split`` goes before."""
    if metric == "accuracy":
        figure.update_yaxes(title=f"{split}accuracy", tickformat=PERCENT, rangemode="nonnegative")
        figure.update_yaxes(autorangeoptions_clipmax=FULL)
    else:
        figure.update_yaxes(title=f"{split}loss (cross-entropy)", rangemode="tozero")
