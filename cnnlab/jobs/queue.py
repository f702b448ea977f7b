"""Whose turn it is to train: as many at once as the machine has cores for, on a GPU one, in the order they came.

Nobody waits for ever: who has trained for SLICE_SECONDS while others wait goes to the end of the queue.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from threading import Condition
from time import monotonic

CORES_EACH = 4  # a small network gains little from more
SLICE_SECONDS = 60.0  # a default training is over by then


class Turns:
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


def trainings_at_once(on_gpu: bool = False) -> int:
    """How many may train at the same time: the environment's CNNLAB_TRAININGS, else one a GPU, else as there are cores.

    Trainings that share a GPU share its memory too, and gain nothing.
    """
    return max(1, int(os.environ.get("CNNLAB_TRAININGS") or (1 if on_gpu else available_cores() // CORES_EACH)))


def threads_each() -> int:
    """Threads of torch for one training: the cores shared, so that all together have no more threads than cores."""
    return max(1, available_cores() // trainings_at_once())


def available_cores() -> int:
    """Cores this process may run on, fewer than the machine's in a container or under taskset."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
