"""Requests to a computation from the users who watch it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from threading import Condition
from typing import Any


class Requests:
    """Pause and stop, from any thread and in any order: a stop overrides every pause, also a later one."""

    def __init__(self) -> None:
        self._paused = self._stopped = False
        self._changed = Condition()

    @property
    def is_paused(self) -> bool:
        return self._paused and not self._stopped

    @property
    def is_stopped(self) -> bool:
        return self._stopped

    def pause(self) -> None:
        self._paused = True

    def go_on(self) -> None:
        self._paused = False
        self._look()

    def stop(self) -> None:
        self._stopped = True
        self._look()

    def wait(self, until: Callable[[], bool], timeout: float | None = None) -> bool:
        """Wait until a stop, or until ``until`` is true; return whether either happened within ``timeout`` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self._stopped or until(), timeout)

    def have(self, wanted: Future[Any]) -> bool:
        """Wait for the result of a future; return whether it came before a stop. Raises what the future raises."""
        wanted.add_done_callback(lambda _: self._look())
        self.wait(wanted.done)
        if self._stopped:
            return False
        wanted.result()
        return True

    def _look(self) -> None:
        """Wake the waiting threads, which check their conditions again."""
        with self._changed:
            self._changed.notify_all()


class TrainingRequests(Requests):
    """What a training can be asked for besides: another learning rate, readings of samples, an end without a test."""

    def __init__(self) -> None:
        super().__init__()
        self.wants_readings = False
        self._abandoned = False
        self._rates: deque[float] = deque(maxlen=1)  # the latest

    @property
    def is_abandoned(self) -> bool:
        return self._abandoned

    @property
    def rate(self) -> float | None:
        """The requested learning rate that has not been taken yet."""
        return next(iter(tuple(self._rates)), None)

    def set_rate(self, rate: float) -> None:
        """Request a learning rate, in place of one that has not been taken."""
        self._rates.append(rate)

    def take_rate(self) -> float:
        """Return the requested learning rate, for the one thread that carries it out; there must be one."""
        return self._rates.pop()

    def abandon(self) -> None:
        """Stop, without a test of what there is."""
        self._abandoned = True
        self.stop()
