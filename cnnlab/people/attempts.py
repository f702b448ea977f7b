"""A limit of wrong codes, so that nobody finds one by trying."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Lock
from time import monotonic

SECONDS = 60.0
OF_ONE = 20  # wrong codes a minute from one address: a whole class may share one
OF_ALL = 200


class Attempts:
    """Counter of the wrong codes of the last minute; thread-safe. ``clock`` can be replaced in tests."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._wrong: deque[tuple[float, str]] = deque(maxlen=OF_ALL)
        self._lock = Lock()

    def is_allowed(self, address: str) -> bool:
        """Check whether somebody at ``address`` may try a code now."""
        with self._lock:
            while self._wrong and self._wrong[0][0] <= self._clock() - SECONDS:
                self._wrong.popleft()
            return len(self._wrong) < OF_ALL and sum(one == address for _, one in self._wrong) < OF_ONE

    def note_wrong(self, address: str) -> None:
        """Count a wrong code."""
        with self._lock:
            self._wrong.append((self._clock(), address))
