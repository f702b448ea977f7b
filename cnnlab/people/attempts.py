"""Limits of what is tried within a minute: wrong codes, so that nobody finds one by trying, and questions."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Lock
from time import monotonic

SECONDS = 60.0
OF_ONE = 20  # wrong codes a minute from one address: a whole class may share one
OF_ALL = 200


class Attempts:
    """Counter of the attempts of the last minute; thread-safe. ``clock`` can be replaced in tests."""

    def __init__(self, clock: Callable[[], float] = monotonic, of_one: int = OF_ONE, of_all: int = OF_ALL) -> None:
        self._clock = clock
        self._of_one, self._of_all = of_one, of_all
        self._made: deque[tuple[float, str]] = deque(maxlen=of_all)
        self._lock = Lock()

    def is_allowed(self, address: str) -> bool:
        """Check whether somebody at ``address`` may try now."""
        with self._lock:
            while self._made and self._made[0][0] <= self._clock() - SECONDS:
                self._made.popleft()
            return len(self._made) < self._of_all and sum(one == address for _, one in self._made) < self._of_one

    def note(self, address: str) -> None:
        """Count an attempt."""
        with self._lock:
            self._made.append((self._clock(), address))
