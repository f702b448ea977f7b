"""Ten digits drawn by hand, one of each, for those who cannot or do not want to draw."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from cnnlab.drawings.strokes import LabelledDrawing, read_labelled_drawings


@cache
def example_digits() -> dict[str, LabelledDrawing]:
    """Return the drawing of each digit by its label, in shares of the canvas's side."""
    content = Path(__file__).with_suffix(".json").read_bytes()
    return {drawing.label: drawing for drawing in read_labelled_drawings(content)}
