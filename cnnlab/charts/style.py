"""The frame of every figure, and names and long lines made fit for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from math import ceil
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from cnnlab.palette import PALETTE
from cnnlab.text import one_line

TRAIN, VALIDATION = PALETTE[0], PALETTE[1]
DIVERGING = "RdBu"  # below zero red, zero white, above blue: weights, gradients, what speaks for and against
PERCENT = ".2~%"  # of an axis's ticks, which may lie close together
BRIGHTNESS = "Viridis"  # from nothing to much: feature maps, attention, densities
FULL = 1.01  # of a share's axis: all, and room for its marker
MAX_NAME = 20  # characters of a class's name beside an axis; hovering tells the whole
TILE_NAME = 9  # above a picture of a row
MAX_POINTS = 500  # of a line, about its width in pixels: more only costs the browser

Numbers = npt.NDArray[np.floating]
_Item = TypeVar("_Item")


def framed(figure: go.Figure) -> go.Figure:
    """Give a figure the app's margins and legend."""
    return figure.update_layout(
        margin={"l": 10, "r": 10, "t": 30, "b": 10},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0},
        hovermode="closest",
    )


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
