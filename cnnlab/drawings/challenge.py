"""Challenges: characters drawn one after the other against the clock, then read by any network."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from time import monotonic

from cnnlab.drawings.strokes import Drawing, LabelledDrawing

ASKED = 10


@dataclass
class Challenge:
    """Hold the characters to draw and the drawings so far."""

    asked: tuple[str, ...]
    drawn: list[LabelledDrawing] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)  # for each drawing, from its question to its answer
    since: float = field(default_factory=monotonic)  # of the clock, at the current question

    @classmethod
    def of(cls, classes: tuple[str, ...], seed: int | None = None) -> Challenge:
        """Choose ten of ``classes`` in random order, each about equally often (± 1)."""
        generator = random.Random(seed)
        asked: list[str] = []
        while len(asked) < ASKED:
            asked += generator.sample(classes, min(len(classes), ASKED - len(asked)))
        return cls(tuple(asked))

    @property
    def is_over(self) -> bool:
        return len(self.drawn) == len(self.asked)

    @property
    def question(self) -> str:
        """Return the character to draw now. Raises IndexError after the last one."""
        return self.asked[len(self.drawn)]

    @property
    def elapsed(self) -> float:
        """Return the seconds since the beginning."""
        return sum(self.seconds) + monotonic() - self.since

    def hand_over(self, drawing: Drawing) -> None:
        """Record the drawing for the current question and go to the next one."""
        now = monotonic()
        self.drawn.append(LabelledDrawing(strokes=drawing.strokes, pen=drawing.pen, label=self.question))
        self.seconds.append(now - self.since)
        self.since = now
