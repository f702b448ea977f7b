"""An overview of all runs of a folder, which reads only what has changed; as a table to search and to sort.

Each listing asks the system for little: whether a run came or went (the folder's time) and which runs were written to
(the journal). Some, with a pause between them, also ask how those are doing that train, and, in turn, for the files of
some others, which people may have changed by hand: such a change is noticed at once among CHECKED_EACH_TIME runs, else
within a few of these listings more.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from math import inf
from threading import Lock

import pandas as pd

from cnnlab.files import COARSE, is_locked
from cnnlab.people.belonging import FILE as BELONGS
from cnnlab.runs.entry import Entry, columns, read_entry
from cnnlab.runs.index import Index, Known, Stamp
from cnnlab.runs.journal import Reader
from cnnlab.runs.listing import Listing, Lists
from cnnlab.runs.run import Run, RunError
from cnnlab.runs.store import RunStore, ids_in
from cnnlab.training.config import RunConfig, field_title

CHECKED_EACH_TIME = 200  # runs, about a millisecond

# A run is read again when one of these changes.
_FILES = ("config.json", "summary.json", "about.json", "weights", BELONGS)
_MISSING = (0, 0)  # the time and the number of a file that is not there


class Catalogue:
    """The runs of a store. It is thread-safe.

    Between two looks at what nothing points to it leaves a ``pause`` of so many seconds: each question to the system
    gives the interpreter to another thread, and with thirty people at their pages it takes a while to come back.
    ``clock`` gives seconds; it can be replaced.
    """

    def __init__(self, store: RunStore, pause: float = 0.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = store.folder
        self._index = Index(store.folder)
        self._journal = Reader(store.folder)
        self._known: dict[str, Known] = {}
        self._is_loaded = False  # from the index
        self._lists = Lists()  # of the known runs that are readable
        self._ids: list[str] = []
        self._here = frozenset(self._ids)
        self._folder_stamp: Stamp | None = None
        self._pause, self._clock = pause, clock
        self._looked_at = -inf  # the clock at the last look at what nothing pointed to
        self._turn = 0  # the position of the runs that are checked next
        self._listing = Listing()
        self._lock = Lock()

    def entries(self) -> Listing:
        """Return every readable run, the newest first; the same object as before where nothing has changed."""
        with self._lock:
            news = self._journal.news()  # before the files are looked at, so that no change falls in between
            moved = self._moved()
            if not self._is_loaded:
                self._load()
                news = None
            if news is None:
                due = {*self._ids, *self._known}
            else:
                due = {*moved, *(news & self._known.keys()), *self._unasked()}
            if self._has_read(due) or news is None:
                self._listing = self._lists.listing()
            return self._listing

    def _load(self) -> None:
        """Begin with what the index knows."""
        self._known, self._is_loaded = self._index.load(), True
        for run_id, known in sorted(self._known.items()):
            self._lists.put(run_id, known.entry)

    def _moved(self) -> frozenset[str]:
        """Return the runs that came or went: their folder's time has changed, or may have within the same instant."""
        stamp = _stamp_of(str(self._folder))
        if stamp == self._folder_stamp:
            return frozenset()
        is_settled = time.time_ns() - stamp[0] > COARSE
        self._folder_stamp = stamp if is_settled else None
        before, self._ids = self._here, ids_in(self._folder, self._here)
        self._here = frozenset(self._ids)
        return before ^ self._here

    def _unasked(self) -> list[str]:
        """Return the runs to check even if nothing points to a change: none during the pause."""
        now = self._clock()
        if now - self._looked_at < self._pause:
            return []
        self._looked_at = now
        return [*self._listing.running, *self._in_turn()]

    def _in_turn(self) -> list[str]:
        """Return those of all runs that come next."""
        ids = self._ids[self._turn : self._turn + CHECKED_EACH_TIME]
        self._turn = self._turn + CHECKED_EACH_TIME if len(ids) == CHECKED_EACH_TIME else 0
        return ids

    def _has_read(self, due: set[str]) -> bool:
        """Read those of the runs that have changed, write them to the index, and return whether there were any."""
        gone = {run_id for run_id in due - self._here if run_id in self._known}
        found = {run_id: now for run_id in due & self._here if (now := self._looked(run_id))}
        for run_id in gone:
            del self._known[run_id]
            self._lists.put(run_id, None)
        for run_id, now in sorted(found.items()):
            self._known[run_id] = now
            self._lists.put(run_id, now.entry)
        ended = {run_id: now for run_id, now in found.items() if not now.is_running}  # the others change soon
        if ended or gone:
            self._index.save(ended, gone)
        return bool(found or gone)

    def _looked(self, run_id: str) -> Known | None:
        """Return what has become of a run; None where it is as before."""
        before, stamp = self._known.get(run_id), _stamp(f"{self._folder}/{run_id}")
        if before and before.stamp == stamp and not (before.is_running and not is_locked(self._folder / run_id)):
            return None
        with suppress(RunError):
            return Known(stamp, read_entry(Run(self._folder / run_id)))
        return Known(stamp, None)


def table(entries: Sequence[Entry]) -> pd.DataFrame:
    """Return the rows of ``entries`` as a table, by their runs' ids."""
    rows, ids = [entry.row for entry in entries], [entry.id for entry in entries]
    return pd.DataFrame(rows, index=pd.Index(ids, dtype=str), columns=columns())


def search(rows: pd.DataFrame, words: str) -> pd.DataFrame:
    """Return the rows in whose text each of the ``words`` occurs, in upper or lower case."""
    found = pd.Series(True, index=rows.index)
    for word in words.casefold().split():
        found &= rows["Text"].str.contains(word, regex=False)
    return rows[found]


def settings_of(rows: pd.DataFrame) -> list[str]:
    """Return the columns of a table that are settings beside data set and network."""
    titles = [field_title(name) for name in RunConfig.model_fields if name not in ("dataset", "architecture")]
    return [title for title in titles if title in rows.columns]


def _stamp(folder: str) -> Stamp:
    """Return what the system says of a run's files; plain strings, as it is called often."""
    return tuple(number for name in _FILES for number in _stamp_of(f"{folder}/{name}"))


def _stamp_of(path: str) -> tuple[int, int]:
    """Return when a file last changed and its number on the disk, which is another once it was replaced."""
    try:
        status = os.stat(path)  # noqa: PTH116
    except OSError:
        return _MISSING
    return status.st_mtime_ns, status.st_ino
