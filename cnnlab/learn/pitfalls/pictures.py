"""Data of the charts that findings show, as rows independent of any chart library."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd

from cnnlab.evaluation.metrics import interval

TRAPPED, MENDED = "with the pitfall", "fixed"  # labels of the two ways in charts

Row = dict[str, Any]


@dataclass(frozen=True)
class Picture:
    """Lines or points of a chart: rows with columns way (TRAPPED or MENDED), x and y.

    Lines have a column part, which separates lines of one way; points have low and high, the ends of an interval.
    """

    kind: Literal["lines", "points"]
    rows: pd.DataFrame
    x: str  # axis titles, with units
    y: str
    caption: str  # how to read it
    levels: Mapping[str, float] = field(default_factory=dict)  # marked on the y axis
    places: Mapping[str, float] = field(default_factory=dict)  # marked on the x axis
    highest: float | None = None  # upper end of the y axis; None: the highest row
    from_zero: bool = True  # whether the y axis starts at zero


def judged(way: str, x: str, hits: int, images: int) -> Row:
    """Make a point: the accuracy ``hits / images`` with its 95 % interval; NaN where there are no images."""
    low, high = interval(hits, images)
    return {"way": way, "x": x, "y": hits / images if images else math.nan, "low": low, "high": high}


def line(way: str, values: Sequence[float], part: str = "", places: Sequence[float] = ()) -> list[Row]:
    """Make the rows of a line, at x = ``places`` or 1, 2, 3, …"""
    at = places or range(1, len(values) + 1)
    return [{"way": way, "part": part, "x": x, "y": y} for x, y in zip(at, values, strict=True)]


def of_losses(losses: Mapping[str, Sequence[float]], caption: str, **marks: Any) -> Picture:
    """Make a chart of each batch's training loss, a line per way; ``marks`` as in Picture."""
    rows = [row for way, values in losses.items() for row in line(way, values)]
    return Picture("lines", pd.DataFrame(rows), "batch", "training loss (cross-entropy)", caption, **marks)
