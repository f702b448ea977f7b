"""A chapter's experiment: it trains, so it waits for its turn among the server's trainings."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from typing import Protocol, TypeVar

from cnnlab.background import Background
from cnnlab.job import turns
from cnnlab.turns import threads_each


class Progress(Protocol):
    """What an experiment has come to so far."""

    @property
    def done(self) -> float:
        """A fraction of the whole."""


Step = TypeVar("Step", bound=Progress)


class Experiment(Background[Step]):
    """Walks a generator that trains, in a thread of its own, whenever it is its turn."""

    def __init__(self, steps: Generator[Step]) -> None:
        super().__init__(self._in_turn(steps), threads_each())

    @property
    def place(self) -> int:
        """In the queue of trainings, from 1 on; 0 where it does not wait."""
        return turns.place(self)

    def cancel(self) -> None:
        super().cancel()
        turns.wake()

    def _in_turn(self, steps: Generator[Step]) -> Generator[Step]:
        try:
            with closing(steps):
                if not self._take_turn():
                    return
                for step in steps:
                    yield step
                    if turns.is_over(self):
                        turns.leave(self)
                        if not self._take_turn():
                            return
        finally:
            turns.leave(self)

    def _take_turn(self) -> bool:
        return turns.take(self, lambda: self.is_cancelled)
