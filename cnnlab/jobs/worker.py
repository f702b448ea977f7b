"""A long computation in a thread of its own, with its progress, its latest step, and a way to cancel it."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import dataclass
from math import inf
from time import monotonic
from typing import Generic, Protocol, TypeVar, cast

import torch

from cnnlab.data.download import fetch
from cnnlab.errors import CnnLabError
from cnnlab.jobs.fair_share import Ticket
from cnnlab.jobs.queue import training_queue
from cnnlab.jobs.requests import Requests
from cnnlab.threads import WorkerThread, run_behind_pages
from cnnlab.training.device import threads_each
from cnnlab.training.memory import SHORT_OF_MEMORY, ran_out

log = logging.getLogger(__name__)

Step = TypeVar("Step")
Result = TypeVar("Result")


class Progress(Protocol):
    """A step of a computation that knows its progress."""

    @property
    def done(self) -> float:
        """The completed fraction of the whole."""


@dataclass(frozen=True)
class Part(Generic[Result]):
    """A step of a computation that has its result at the end, with its last step."""

    done: float
    result: Result | None = None


def completed(parts: Iterable[Part[Result]]) -> Result:
    """Carry a computation out and return its result."""
    *_, last = parts
    return cast("Result", last.result)


class Worker(Generic[Step]):
    """A thread that iterates a generator and stores its latest step; it closes the generator at the end.

    A worker that ``trains`` waits in the server's queue of trainings, where it counts for its ``owner``, and has as
    many torch threads as one of them; the ``dataset`` it needs is loaded before it enters the queue. Any other has
    ``threads``, because a training may run at the same time. For the first ``wait`` seconds the caller itself iterates,
    so that a short computation is over at once and needs no thread.
    """

    def __init__(
        self,
        steps: Generator[Step],
        threads: int = 1,
        trains: bool = False,
        dataset: str = "",
        wait: float = 0.0,
        owner: str = "",
    ) -> None:
        self.threads = threads_each() if trains else threads
        self.trains = trains
        self.latest: Step | None = None
        self.error = ""  # for the user
        self._ticket = Ticket(owner)
        self._steps = self._in_turn(steps, dataset) if trains else steps
        self._requests = Requests()
        self._is_over = False
        self._thread = WorkerThread(self._work, self.cancel)
        if not wait or not self._iterate(monotonic() + wait):
            self._thread.start()

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive()

    @property
    def is_cancelled(self) -> bool:
        return self._requests.is_stopped

    @property
    def place(self) -> int:
        """The position in the queue of trainings, from 1 on; 0 where it does not wait."""
        return training_queue.place(self)

    def cancel(self) -> None:
        """Request an end after the running step; what is over stays as it is."""
        if self._is_over:
            return
        self._requests.stop()
        training_queue.wake()

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended, or ``timeout`` seconds."""
        self._thread.join(timeout)

    def _work(self) -> None:
        if self.trains:
            run_behind_pages()  # first: threads that torch starts inherit it
        torch.set_num_threads(self.threads)  # applies only to the calling thread
        self._iterate(inf)

    def _iterate(self, until: float) -> bool:
        """Store step after step ``until`` a time; return whether the computation is over, for whatever reason."""
        try:
            for step in self._steps:
                self.latest = step
                if self.is_cancelled:
                    break
                if monotonic() > until:
                    return False
            self._steps.close()
        except CnnLabError as error:
            self.error = str(error)
        except Exception as error:  # a defect
            log.error("a computation in the background failed", exc_info=error)
            self.error = SHORT_OF_MEMORY if ran_out(error) else f"{type(error).__name__}: {error}"
        self._is_over = True
        return True

    def _in_turn(self, steps: Generator[Step], dataset: str) -> Generator[Step]:
        """Iterate ``steps`` while it is this worker's turn to train."""
        try:
            with closing(steps):
                if dataset and not self._requests.have(fetch(dataset)):
                    return
                if not self._take_turn():
                    return
                for step in steps:
                    yield step
                    if training_queue.is_over(self):
                        training_queue.rest(self)
                        if not self._take_turn():
                            return
        finally:
            training_queue.leave(self)

    def _take_turn(self) -> bool:
        """Wait in the queue; return whether the turn came before a cancel."""
        return training_queue.take(self, lambda: self.is_cancelled, self._ticket)
