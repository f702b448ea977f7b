"""What the canvas's component tells of a drawing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cnnlab.drawings.strokes import CANVAS, INK, Drawing


def to_canvas(drawing: Drawing) -> dict[str, Any]:
    """Give a drawing in shares of the canvas's side as ``from_canvas`` reads it."""
    return {"objects": [_path(stroke, drawing.pen) for stroke in drawing.strokes]}


def _path(stroke: Sequence[tuple[float, float]], pen: float) -> dict[str, Any]:
    points = [(x * CANVAS, y * CANVAS) for x, y in stroke]
    lines = [["L", *point] for point in points[1:] or points]
    return {
        "type": "Path",
        "originX": "center",
        "originY": "center",
        "left": _middle([x for x, _ in points]),
        "top": _middle([y for _, y in points]),
        "fill": None,
        "stroke": INK,
        "strokeWidth": pen * CANVAS,
        "strokeLineCap": "round",
        "strokeLineJoin": "round",
        "path": [["M", *points[0]], *lines],
    }


def _middle(values: list[float]) -> float:
    return (min(values) + max(values)) / 2
