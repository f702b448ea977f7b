"""Counts of sessions that watch background work, which ends when nobody has watched it for a while."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable
from threading import Lock, Timer


class Audience:
    """Counter of the watchers of each piece of work; ends work without any for ``grace`` seconds.

    A watcher who returns in time cancels the countdown; it starts over when all have left again. Thread-safe.
    ``timer`` can be replaced in tests.
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
        """Remove a watcher of ``work``; call ``end`` if there is none for the whole grace period."""
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
            if self._timers.get(work) is not timer:  # a watcher has just returned
                return
            del self._timers[work]
        end()


class Watcher:
    """One who watches work until released; thread-safe."""

    def __init__(self, audience: Audience) -> None:
        self._audience = audience
        self._ends: dict[Hashable, Callable[[], object]] | None = {}  # how to end each work; None once released
        self._lock = Lock()

    def add(self, work: Hashable, end: Callable[[], object]) -> None:
        """Watch ``work``, which ``end`` ends; once released, watch nothing more."""
        with self._lock:
            if self._ends is not None and work not in self._ends:
                self._ends[work] = end
                self._audience.watch(work)

    def release(self) -> None:
        """Watch nothing any more."""
        with self._lock:
            for work, end in (self._ends or {}).items():
                self._audience.leave(work, end)
            self._ends = None
