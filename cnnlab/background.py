"""A long computation in a thread of its own: how far it is, what it has so far, and an end before its time."""

from __future__ import annotations

import atexit
import logging
import weakref
from collections.abc import Generator
from contextlib import closing
from threading import Event, Thread
from typing import Any, Generic, TypeVar

import torch

log = logging.getLogger(__name__)

Step = TypeVar("Step")

_all: weakref.WeakSet[Background[Any]] = weakref.WeakSet()


class Background(Generic[Step]):
    """Walks a generator in a daemon thread and keeps its latest step; closes it in the end."""

    def __init__(self, steps: Generator[Step], threads: int = 1) -> None:  # of torch: a training may be at work too
        self.threads = threads
        self.latest: Step | None = None
        self.error = ""
        self._steps = steps
        self._stop = Event()
        self._thread = Thread(target=self._work, daemon=True)
        _all.add(self)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive()

    @property
    def is_cancelled(self) -> bool:
        return self._stop.is_set()

    def cancel(self) -> None:
        """Ask for an end after the running step."""
        self._stop.set()

    def join(self) -> None:
        self._thread.join()

    def _work(self) -> None:
        torch.set_num_threads(self.threads)  # counts only for the thread that calls it
        try:
            with closing(self._steps):
                for step in self._steps:
                    self.latest = step
                    if self._stop.is_set():
                        return
        except Exception as error:
            log.exception("a computation in the background failed")
            self.error = f"{type(error).__name__}: {error}"


@atexit.register
def _end_all() -> None:
    """A daemon thread inside torch while the interpreter ends would abort the process."""
    running = [work for work in list(_all) if work.is_running]
    for work in running:
        work.cancel()
    for work in running:
        work.join()
