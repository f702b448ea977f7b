"""What a finding draws, as rows that know nothing of charts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd

from cnnlab.evaluation.metrics import interval

TRAPPED, MENDED = "in the trap", "mended"  # the two ways, as pictures name them

Row = dict[str, Any]


@dataclass(frozen=True)
class Picture:
    """Lines or points to draw: rows with columns way (TRAPPED or MENDED), x and y.

    Lines have a column part, which tells those of one way apart; points have low and high, an interval's ends.
    """

    kind: Literal["lines", "points"]
    rows: pd.DataFrame
    x: str  # the axes' titles, with units
    y: str
    caption: str  # how to read it
    levels: Mapping[str, float] = field(default_factory=dict)  # marked on the y axis
    places: Mapping[str, float] = field(default_factory=dict)  # marked on the x axis
    highest: float | None = None  # where the y axis ends; None: where the rows do
    from_zero: bool = True  # whether it begins there


def judged(way: str, x: str, hits: int, images: int) -> Row:
    """A point: the accuracy ``hits / images`` with its 95 % interval; NaN where there is no image."""
    low, high = interval(hits, images)
    return {"way": way, "x": x, "y": hits / images if images else math.nan, "low": low, "high": high}


def line(way: str, values: Sequence[float], part: str = "", places: Sequence[float] = ()) -> list[Row]:
    """The rows of a line, at ``places`` or at 1, 2, 3, …"""
    at = places or range(1, len(values) + 1)
    return [{"way": way, "part": part, "x": x, "y": y} for x, y in zip(at, values, strict=True)]


def of_losses(losses: Mapping[str, Sequence[float]], caption: str, **marks: Any) -> Picture:
    """The training loss of each batch, a line a way; ``marks`` as in Picture."""
    rows = [row for way, values in losses.items() for row in line(way, values)]
    return Picture("lines", pd.DataFrame(rows), "batch", "training loss (cross-entropy)", caption, **marks)
