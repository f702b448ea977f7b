"""Runs that have ended are copied to a team's MLflow, in the background, where MLFLOW_TRACKING_URI names one.

``.mlflow/waiting`` beside the runs has a file for each that is still to be sent; its text says why the last try failed.
A failure never touches the training; what failed is sent again by the next process that sends anything.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock

from cnnlab.errors import CnnLabError
from cnnlab.export.mlflow import to_mlflow
from cnnlab.files import atomic_write, lock, read_limited
from cnnlab.jobs.job import end_listeners
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.text import without_password
from cnnlab.threads import WorkerThread
from cnnlab.training.config import RUN_ID

FOLDER, WAITING = ".mlflow", "waiting"
LONGEST = 300  # characters of a reason

log = logging.getLogger(__name__)


class _BusyError(CnnLabError):
    """Another process sends what waits."""


class Mirror:
    """A thread that sends the waiting runs of a folder one by one, each once, unless it is trained again."""

    def __init__(self, send: Callable[[Run], object] = to_mlflow) -> None:
        self._send = send
        self._tried: set[Path] = set()  # marks
        self._thread: WorkerThread | None = None
        self._is_ending = False
        self._guard = Lock()

    def add(self, run: Run) -> None:
        """Have a run sent that has ended, where an address is set; it is noted first, should the process end."""
        if not os.environ.get("MLFLOW_TRACKING_URI"):
            return
        mark = _mark(run)
        try:
            with self._guard:
                mark.parent.mkdir(parents=True, exist_ok=True)
                atomic_write(mark, "")
                self._tried.discard(mark)
        except OSError as error:
            log.warning("run %s will not be sent to MLflow: %s", run.id, error)
            return
        self.send_waiting(run.folder.parent)

    def send_waiting(self, runs: Path) -> None:
        """Send, in the background, what waits in a folder of runs."""
        with self._guard:
            if not os.environ.get("MLFLOW_TRACKING_URI") or self._thread or not self._waiting(runs):
                return
            self._thread = WorkerThread(lambda: self._work(runs), self._end, "MLflow")
            self._thread.start()

    def join(self) -> None:
        """Wait until all that waits has been tried."""
        with self._guard:
            thread = self._thread
        if thread:
            thread.join()

    def _end(self) -> None:
        self._is_ending = True

    def _work(self, runs: Path) -> None:
        try:
            while self._has_more(runs):
                with lock(runs / FOLDER, _BusyError("another process sends them")):
                    while mark := self._next(runs):
                        self._handle(RunStore(runs), mark)
        except (_BusyError, OSError) as error:
            log.warning("runs wait for MLflow: %s", error)
            with self._guard:
                self._thread = None

    def _has_more(self, runs: Path) -> bool:
        """Tell whether anything waits; where not, the next run that is added starts another thread."""
        with self._guard:
            if self._is_ending or not self._waiting(runs):
                self._thread = None
            return self._thread is not None

    def _next(self, runs: Path) -> Path | None:
        """Return the next mark to try; None where there is none."""
        with self._guard:
            mark = None if self._is_ending else next(iter(self._waiting(runs)), None)
            if mark:
                self._tried.add(mark)
            return mark

    def _waiting(self, runs: Path) -> list[Path]:
        marks = [runs / FOLDER / WAITING / run_id for run_id in marked(runs)]
        return [mark for mark in marks if mark not in self._tried]

    def _handle(self, store: RunStore, mark: Path) -> None:
        """Send the run of a mark, and remove the mark; else write why that failed."""
        try:
            run = store.open(mark.name)
            history = run.history()
            if history.steps or history.epochs:  # else it was stopped before there was anything to send
                self._send(run)
        except Exception as error:
            reason = _told(error)
            is_defect = not isinstance(error, CnnLabError)
            log.warning("run %s was not sent to MLflow: %s", mark.name, reason, exc_info=is_defect)
            if (store.folder / mark.name).exists():
                self._settle(mark, lambda: atomic_write(mark, reason))
                return
        self._settle(mark, lambda: mark.unlink(missing_ok=True))

    def _settle(self, mark: Path, write: Callable[[], object]) -> None:
        """Write what became of a mark, unless its run has ended once more meanwhile, and waits again."""
        with self._guard, suppress(OSError):
            if mark in self._tried:
                write()


def marked(runs: Path) -> list[str]:
    """Return the ids of the runs that wait, the oldest first."""
    with suppress(OSError):
        return sorted(path.name for path in (runs / FOLDER / WAITING).iterdir() if RUN_ID.fullmatch(path.name))
    return []


def failure(run: Run) -> str:
    """Return why a run could not be sent; empty where it was, or was not tried."""
    with suppress(OSError):
        return read_limited(_mark(run), 4 * LONGEST).decode(errors="replace")[:LONGEST]
    return ""


def _mark(run: Run) -> Path:
    return run.folder.parent / FOLDER / WAITING / run.id


def _told(error: Exception) -> str:
    """Say in one line what went wrong, without the password that an address may hold."""
    text = without_password(" ".join(str(error).split()))
    return (text if isinstance(error, CnnLabError) else f"{type(error).__name__}: {text}")[:LONGEST]


mirror = Mirror()


def listen() -> None:
    """Have the runs of this process sent as they end, where an address is set then."""
    if _add_ended not in end_listeners:
        end_listeners.append(_add_ended)


def _add_ended(run: Run, *_: object) -> None:
    mirror.add(run)
