"""The type of a tab of Draw."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cnnlab.runs.entry import Entry


@dataclass(frozen=True)
class Tab:
    """A tab: its title, the function that shows it for the chosen runs, and whether it is for drawn characters only."""

    question: str
    show: Callable[[Mapping[str, Entry]], None]
    of_characters: bool = True
