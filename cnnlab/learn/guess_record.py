"""The record of a reader's guesses as their browser keeps it: read with distrust, and bounded."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from cnnlab.learn.guesses import LARGEST, POINTS, Score

MOST = 100  # guesses kept, the newest
LONGEST = 100 * MOST  # characters of a record, at most: one guess takes up to 80

Habit = Literal["", "guess", "show"]  # "": the reader has not said whether they want to guess


class KeptScore(BaseModel):
    """A scored guess."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    id: Annotated[str, Field(pattern="^[0-9a-f]{16}$")]  # of what was guessed
    right: bool | None = None
    off: Annotated[FiniteFloat, Field(ge=-2 * LARGEST, le=2 * LARGEST)] | None = None  # points
    rank: Annotated[int, Field(ge=1, le=1000)] | None = None

    @classmethod
    def of(cls, ask_id: str, unit: str, found: Score) -> KeptScore:
        """Return what is kept of a score; errors in other units than points are left out."""
        off = round(found.off, 2) if found.off is not None and unit == POINTS else None
        return cls(id=ask_id, right=found.is_right, off=off, rank=found.rank)

    @property
    def score(self) -> Score:
        return Score(self.right, None, self.off, self.rank)


@dataclass(frozen=True)
class Record:
    """The habit and the scored guesses, the oldest first; each result once."""

    habit: Habit = ""
    scored: tuple[KeptScore, ...] = ()

    def with_more(self, scored: Sequence[KeptScore]) -> Record:
        """Return the record with those that it lacks."""
        known = {one.id for one in self.scored}
        return replace(self, scored=(*self.scored, *(one for one in scored if one.id not in known))[-MOST:])


@lru_cache(maxsize=64)
def read_record(text: str) -> Record:
    """Read what a browser says it keeps; what is no record, or no guess in one, is left out."""
    if len(text) > LONGEST:
        return Record()
    try:
        kept = json.loads(text)
    except (ValueError, RecursionError):
        return Record()
    if not isinstance(kept, dict):
        return Record()
    habit, scored = kept.get("habit"), kept.get("scored")
    valid = [one for one in map(_read_score, scored) if one] if isinstance(scored, list) else []
    return Record(habit if habit in ("guess", "show") else "").with_more(
        list({one.id: one for one in valid[-MOST:]}.values())
    )


def _read_score(value: Any) -> KeptScore | None:
    try:
        return KeptScore.model_validate(value)
    except ValidationError:
        return None
