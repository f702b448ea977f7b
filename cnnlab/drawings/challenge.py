"""A challenge: characters asked one after the other and drawn against the clock, then read by any network."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from time import monotonic

from cnnlab.drawings.strokes import Drawing, LabelledDrawing

ASKED = 10


@dataclass
class Challenge:
    """What is asked, and what was drawn so far."""

    asked: tuple[str, ...]
    drawn: list[LabelledDrawing] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)  # of each drawing, from the question to the hand-over
    since: float = field(default_factory=monotonic)  # when the running question was asked

    @classmethod
    def of(cls, classes: tuple[str, ...], seed: int | None = None) -> Challenge:
        """Ten of ``classes`` in any order; each as often as any other, give or take one."""
        draws = random.Random(seed)
        asked: list[str] = []
        while len(asked) < ASKED:
            asked += draws.sample(classes, min(len(classes), ASKED - len(asked)))
        return cls(tuple(asked))

    @property
    def is_over(self) -> bool:
        return len(self.drawn) == len(self.asked)

    @property
    def question(self) -> str:
        """What to draw now. Raises IndexError when it is over."""
        return self.asked[len(self.drawn)]

    @property
    def elapsed(self) -> float:
        """Seconds from the beginning on."""
        return sum(self.seconds) + monotonic() - self.since

    def hand_over(self, drawing: Drawing) -> None:
        """Take the answer to the running question and ask the next."""
        now = monotonic()
        self.drawn.append(LabelledDrawing(strokes=drawing.strokes, pen=drawing.pen, label=self.question))
        self.seconds.append(now - self.since)
        self.since = now
