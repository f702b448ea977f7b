"""What a way to add pictures found, and what it still lacks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cnnlab.data.pictures.collecting import same_name
from cnnlab.data.pictures.sources import Source
from cnnlab.drawings.strokes import LabelledDrawing

OWN_NAMES = "a name of its own for each class"


@dataclass(frozen=True)
class Found:
    """Pictures to add, or drawings; as long as something is ``missing``, they cannot be added."""

    source: Source | Sequence[LabelledDrawing] | None = None
    missing: tuple[str, ...] = ()  # in words that may quote strangers


def clash(names: Iterable[str]) -> str:
    """Say which classes would be two though people read one name; empty where each has its own."""
    name = same_name(names)
    return f"Two classes are called “{name}”, ignoring case and spaces. Give each its own name." if name else ""
