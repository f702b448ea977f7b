"""Answers to a camera's picture, as the browser shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Bar:
    """The probability of a class, or its share of votes."""

    name: str
    share: float


@dataclass(frozen=True)
class LiveAnswer:
    """An answer as the browser shows it: what it says and how sure it is, or a reason to doubt, above its bars."""

    title: str
    said: str
    sure: str
    doubt: str
    bars: Sequence[Bar]
