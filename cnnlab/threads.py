"""Background threads beside the pages, how they share the cores, and the end of the process while they run."""

from __future__ import annotations

import atexit
import logging
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread, active_count, get_native_id
from time import monotonic
from typing import NoReturn

ENDED_WITHIN = 4.0  # seconds, for all workers together when the process ends

SWITCH_SECONDS = 0.001  # that a thread keeps the interpreter while others want it; by default 0.005
BEHIND = 10  # niceness of trainings behind pages: about a tenth of a core that a page wants, too

_crowd = Event()  # set: many people use this process
_working: set[WorkerThread] = set()
_exit_codes: list[int] = []  # set so far; the last one applies


class WorkerThread(Thread):
    """A daemon thread. When the process ends, ``end`` is called to make it end too.

    The process then waits for it, unless ``is_left``: a download has nothing to lose.
    """

    def __init__(
        self, work: Callable[[], object], end: Callable[[], object], name: str | None = None, is_left: bool = False
    ) -> None:
        super().__init__(name=name, daemon=True)
        self.end = end
        self.is_left = is_left
        self._work = work
        self._over = Event()

    def start(self) -> None:
        _working.add(self)
        super().start()

    def run(self) -> None:
        try:
            self._work()
        finally:
            _working.discard(self)
            self._over.set()

    def join(self, timeout: float | None = None) -> None:
        """Wait until the work is over, or ``timeout`` seconds."""
        # Thread.join loses its thread when Ctrl-C interrupts it while it waits with a timeout.
        if self._over.wait(timeout):
            super().join()


def share_interpreter() -> None:
    """Have threads take turns more often: one in a library's loops comes back to Python for moments only, and waits
    long for each beside a thread that stays in Python.
    """
    sys.setswitchinterval(SWITCH_SECONDS)


def expect_many_people() -> None:
    """Have the trainings that start from now on run behind pages: of few cores these need theirs at once."""
    _crowd.set()


def run_behind_pages() -> None:
    """Give the calling thread, and those that it starts, less of a core that others want, if many people are expected.

    On Linux; elsewhere a thread's niceness is not its own.
    """
    if _crowd.is_set() and sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, get_native_id(), BEHIND)


def exit_code_is(code: int) -> None:
    """Set the exit code of the process, so that a thread that does not end in time cannot change it."""
    _exit_codes.append(code)


def run_process(main: Callable[[], None]) -> None:
    """Call ``main``, the only work of this process; SIGTERM ends it with exit code 143."""
    signal.signal(signal.SIGTERM, _terminate)
    exit_code_is(1)  # of an unexpected error, shown with its traceback
    try:
        main()
    except SystemExit as end:
        exit_code_is(end.code if isinstance(end.code, int) else int(end.code is not None))
        raise
    exit_code_is(0)


def end_before_others() -> None:
    """Have the workers end before all that has been registered for the end of the process so far."""
    atexit.register(_end_all)


def _terminate(number: int, _: object) -> NoReturn:
    signal.signal(number, signal.SIG_IGN)
    sys.exit(128 + number)


@atexit.register
def _end_all() -> None:
    """End the workers before the interpreter: a daemon thread inside torch at that time aborts the process.

    Where any thread is left after ENDED_WITHIN, the process exits at once.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C would interrupt the waiting, which is short
    workers = list(_working)
    for worker in workers:
        worker.end()
    until = monotonic() + ENDED_WITHIN
    for worker in workers:
        if not worker.is_left:
            worker.join(max(0.0, until - monotonic()))
    if _exit_codes and active_count() > 1:
        logging.shutdown()
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):  # no reader is left
                stream.flush()
        os._exit(_exit_codes[-1])
