"""What a verification proved, how far it is while it runs, and the words for both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from cnnlab.verification.difference import Difference

Outcome = Literal["proved", "differs", "unproved"]


@dataclass(frozen=True)
class Progress:
    """How much of a part of the work is done."""

    what: str  # "epochs judged"
    done: int
    of: int


@dataclass(frozen=True)
class Report:
    """The outcome of a verification: unproved where this machine cannot tell."""

    run: str
    level: int
    epochs: int  # whole ones, by its history
    outcome: Outcome = "proved"
    reason: str = ""  # why it is unproved
    difference: Difference | None = None  # the first
    judged: tuple[int, ...] = ()  # epochs whose validation figures were computed from their weights
    executed: tuple[int, ...] = ()  # epochs that were trained again
    compared: tuple[int, ...] = ()  # epochs whose weights were compared bit for bit
    missed: Mapping[int, float] = field(default_factory=dict)  # forged epochs: chance at most to have missed all
    notes: tuple[str, ...] = ()
