"""A computation in the background that trains: it waits for its turn among the server's trainings."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from typing import Protocol, TypeVar

from cnnlab.data.download import fetch
from cnnlab.errors import CnnLabError
from cnnlab.jobs.job import SHORT_OF_MEMORY, turns
from cnnlab.jobs.worker import Background
from cnnlab.training.device import threads_each
from cnnlab.training.memory import ran_out


class Progress(Protocol):
    """What a chapter's experiment has come to so far."""

    @property
    def done(self) -> float:
        """A fraction of the whole."""


Step = TypeVar("Step")


class Experiment(Background[Step]):
    """Walks a generator that trains, in a thread of its own, whenever it is its turn.

    Where it needs a ``dataset``, that is there before it takes a turn.
    """

    def __init__(self, steps: Generator[Step], dataset: str = "") -> None:
        self._dataset = dataset
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
                if not (self._fetch_data() and self._take_turn()):
                    return
                for step in steps:
                    yield step
                    if turns.is_over(self):
                        turns.leave(self)
                        if not self._take_turn():
                            return
        finally:
            turns.leave(self)

    def _fetch_data(self) -> bool:
        return not self._dataset or self._requests.have(fetch(self._dataset))

    def _explained(self, error: Exception) -> str:
        if isinstance(error, CnnLabError):
            return str(error)
        return SHORT_OF_MEMORY if ran_out(error) else super()._explained(error)

    def _take_turn(self) -> bool:
        return turns.take(self, lambda: self.is_cancelled)
