"""Labelled drawings as pictures of a data set, rendered as a network gets a drawing of the canvas."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

from PIL import Image

from cnnlab.data.pictures.collecting import cleaned
from cnnlab.data.pictures.sources import BytesSource
from cnnlab.drawings.preprocess import prepare, stroke_ink
from cnnlab.drawings.strokes import LabelledDrawing

USUAL_SIDE = 28  # pixels, as MNIST


def drawings_source(drawings: Sequence[LabelledDrawing], side: int = USUAL_SIDE) -> BytesSource:
    """Render drawings light on dark to ``side`` × ``side`` pixels, in a folder for each label."""
    files = {
        f"{cleaned(drawing.label)}/{number:04}.png": _png(drawing, side) for number, drawing in enumerate(drawings, 1)
    }
    return BytesSource(files, "drawings")


def _png(drawing: LabelledDrawing, side: int) -> bytes:
    file = BytesIO()
    Image.fromarray(prepare(stroke_ink(drawing), (side, side))[0, 0].numpy()).save(file, "PNG")
    return file.getvalue()
