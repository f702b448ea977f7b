"""What those who watch a computation ask of it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Condition
from typing import Any


class Requests:
    """Pause and stop, from any thread and in any order: a stop outweighs every pause, also one that comes later."""

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
        """Wait until a stop, or until what ``until`` tells has come; whether either did within ``timeout`` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self._stopped or until(), timeout)

    def have(self, wanted: Future[Any]) -> bool:
        """Wait for what a future brings; whether it came before a stop. Raises what the future does."""
        wanted.add_done_callback(lambda _: self._look())
        self.wait(wanted.done)
        if self._stopped:
            return False
        wanted.result()
        return True

    def _look(self) -> None:
        """Have whoever waits look whether it has waited enough."""
        with self._changed:
            self._changed.notify_all()
