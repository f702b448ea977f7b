"""Whose turn it is to train: as many at once as the machine has cores for, on a GPU one, in the order they came.

Nobody waits for ever: who has trained for SLICE_SECONDS while others wait goes to the end of the queue.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Condition
from time import monotonic

from cnnlab.training.device import devices, trainings_at_once

SLICE_SECONDS = 60.0  # a default training is over by then


class TrainingQueue:
    """A queue of trainings, of which the first ``limit`` are at work. Any thread may ask."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._waiting: list[object] = []
        self._since: dict[object, float] = {}  # who is at work, and from when on
        self._moved = Condition()

    def take(self, who: object, gives_up: Callable[[], bool]) -> bool:
        """Wait for a turn; whether it came before ``who`` gave up, which is asked whenever the queue moves."""
        with self._moved:
            self._waiting.append(who)
            self._moved.wait_for(lambda: gives_up() or self._is_next(who))
            self._waiting.remove(who)
            if gives_up():
                self._moved.notify_all()
                return False
            self._since[who] = monotonic()
            return True

    def leave(self, who: object) -> None:
        """Give the turn back, where ``who`` has one."""
        with self._moved:
            self._since.pop(who, None)
            self._moved.notify_all()

    def wake(self) -> None:
        """Have all who wait look whether they have given up."""
        with self._moved:
            self._moved.notify_all()

    def is_over(self, who: object) -> bool:
        """Whether ``who`` has been at work for long enough that another should be."""
        with self._moved:
            since = self._since.get(who)
            return bool(self._waiting) and since is not None and monotonic() - since > SLICE_SECONDS

    def place(self, who: object) -> int:
        """In the queue, from 1 on; 0 for who does not wait."""
        with self._moved:
            return self._waiting.index(who) + 1 if who in self._waiting else 0

    def _is_next(self, who: object) -> bool:
        return len(self._since) < self.limit and self._waiting[0] is who


training_queue = TrainingQueue(trainings_at_once(on_gpu=devices()[0] != "cpu"))  # this process's
