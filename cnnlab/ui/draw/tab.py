"""A way to show something to networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cnnlab.runs.catalogue import Entry


@dataclass(frozen=True)
class Tab:
    """What it asks for, what draws it for the runs it is given, and whether it is for networks of drawn characters."""

    question: str
    show: Callable[[Mapping[str, Entry]], None]
    of_characters: bool = True
