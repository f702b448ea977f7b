"""The queue of trainings: as many run at once as the machine has cores for, one on a GPU, in the order of arrival.

Nobody waits for ever: a training that has run for SLICE_SECONDS while others wait goes to the end of the queue.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Condition
from time import monotonic

from cnnlab.training.device import devices, trainings_at_once

SLICE_SECONDS = 60.0  # a default training is over by then


class TrainingQueue:
    """A queue of trainings, of which the first ``limit`` run. It is thread-safe."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._waiting: list[object] = []
        self._since: dict[object, float] = {}  # start times of the running ones
        self._moved = Condition()

    def take(self, who: object, gives_up: Callable[[], bool]) -> bool:
        """Wait for a turn; return whether it came before ``gives_up()`` was true, called whenever the queue moves."""
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
        """Give up the turn of ``who``, if it has one."""
        with self._moved:
            self._since.pop(who, None)
            self._moved.notify_all()

    def wake(self) -> None:
        """Wake all that wait, which check whether they give up."""
        with self._moved:
            self._moved.notify_all()

    def is_over(self, who: object) -> bool:
        """Tell whether ``who`` has run for so long that another should run."""
        with self._moved:
            since = self._since.get(who)
            return bool(self._waiting) and since is not None and monotonic() - since > SLICE_SECONDS

    def place(self, who: object) -> int:
        """Return the position in the queue, from 1 on; 0 where ``who`` does not wait."""
        with self._moved:
            return self._waiting.index(who) + 1 if who in self._waiting else 0

    def _is_next(self, who: object) -> bool:
        return len(self._since) < self.limit and self._waiting[0] is who


training_queue = TrainingQueue(trainings_at_once(on_gpu=devices()[0] != "cpu"))  # this process's
