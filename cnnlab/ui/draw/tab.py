"""A way to show something to networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module

from cnnlab.runs.catalogue import Entry


@dataclass(frozen=True)
class Way:
    """Its module beside this one, what it asks for, and whether it is for networks of drawn characters."""

    module: str
    question: str
    of_characters: bool = True

    def show(self, named: Mapping[str, Entry]) -> None:
        """Draw it for the runs ``named``; its module is imported now."""
        import_module(f"cnnlab.ui.draw.{self.module}").show(named)
