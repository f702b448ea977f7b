"""A long computation in a thread of its own: how far it is, what it has so far, and an end before its time."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import closing
from typing import Generic, TypeVar

import torch

from cnnlab.jobs.requests import Requests
from cnnlab.threads import Worker

log = logging.getLogger(__name__)

Step = TypeVar("Step")


class Background(Generic[Step]):
    """Walks a generator in a thread and keeps its latest step; closes it in the end."""

    def __init__(self, steps: Generator[Step], threads: int = 1) -> None:  # of torch: a training may be at work too
        self.threads = threads
        self.latest: Step | None = None
        self.error = ""
        self._steps = steps
        self._requests = Requests()
        self._worker = Worker(self._work, self.cancel)
        self._worker.start()

    @property
    def is_running(self) -> bool:
        return self._worker.is_alive()

    @property
    def is_cancelled(self) -> bool:
        return self._requests.is_stopped

    def cancel(self) -> None:
        """Ask for an end after the running step."""
        self._requests.stop()

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended, or ``timeout`` seconds."""
        self._worker.join(timeout)

    def _work(self) -> None:
        torch.set_num_threads(self.threads)  # counts only for the thread that calls it
        try:
            with closing(self._steps):
                for step in self._steps:
                    self.latest = step
                    if self.is_cancelled:
                        return
        except Exception as error:
            self.error = self._explained(error)

    def _explained(self, error: Exception) -> str:
        """What to tell a user of ``error``; one that nobody expected goes to the log."""
        log.error("a computation in the background failed", exc_info=error)
        return f"{type(error).__name__}: {error}"
