"""The session's labelled drawings: Draw teaches them to a network, Data makes a data set of them."""

from __future__ import annotations

from cnnlab.drawings.strokes import Drawing, LabelledDrawing
from cnnlab.training.config import MAX_LESSONS
from cnnlab.ui.shell.state import DRAWINGS


def kept() -> dict[str, str]:
    """Return the label of each drawing, by its text, oldest first."""
    return DRAWINGS.fill({})


def lessons() -> list[LabelledDrawing]:
    """List the drawings with their labels, oldest first."""
    return [lesson(text, label) for text, label in kept().items()]


def keep(text: str, label: str) -> bool:
    """Store a drawing, or change the label of a stored one. Return False where the collection is full."""
    known = kept()
    if text not in known and len(known) >= MAX_LESSONS:
        return False
    DRAWINGS.put({**known, text: label})
    return True


def text_of(drawing: Drawing) -> str:
    """Return the text that stands for a drawing, whatever its label."""
    return drawing.model_dump_json(exclude={"label"})


def lesson(text: str, label: str) -> LabelledDrawing:
    """Return the drawing of a text with its label."""
    drawing = Drawing.model_validate_json(text)
    return LabelledDrawing(strokes=drawing.strokes, pen=drawing.pen, label=label)
