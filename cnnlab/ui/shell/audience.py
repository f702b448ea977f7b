"""Who watches what: work that nobody has watched for a while is ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable
from threading import Lock, Timer


class Audience:
    """Counts who watches each piece of work, and ends what has had nobody for ``grace`` seconds.

    Whoever comes back in time ends the grace; the next time that all have left, a whole one begins. Any thread may
    call. ``timer`` is for tests.
    """

    def __init__(self, grace: float, timer: Callable[[float, Callable[[], None]], Timer] = Timer) -> None:
        self._grace = grace
        self._timer = timer
        self._viewers: Counter[Hashable] = Counter()
        self._timers: dict[Hashable, Timer] = {}
        self._lock = Lock()

    def watch(self, work: Hashable) -> None:
        with self._lock:
            self._viewers[work] += 1
            if timer := self._timers.pop(work, None):
                timer.cancel()

    def leave(self, work: Hashable, end: Callable[[], object]) -> None:
        """Watch ``work`` no more; ``end`` is called if nobody else does for the whole grace."""
        with self._lock:
            self._viewers[work] -= 1
            if self._viewers[work]:
                return
            del self._viewers[work]
            timer = self._timer(self._grace, lambda: self._end(work, timer, end))
            timer.daemon = True
            self._timers[work] = timer
            timer.start()

    def _end(self, work: Hashable, timer: Timer, end: Callable[[], object]) -> None:
        with self._lock:
            if self._timers.get(work) is not timer:  # somebody has come back just now
                return
            del self._timers[work]
        end()
