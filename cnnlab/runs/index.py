"""The index of a store's runs on disk: what is known of each, so that a new process need not read thousands of files.

It is a cache in SQLite, data only. The runs' folders are the truth: it may be deleted at any time, and where it is
damaged, was made by another state of the program or cannot be written, runs are read from their folders as without it.
It lies in the folder of caches, not beside the runs: these may be read-only, on a network's disk, where SQLite's locks
are unsafe, or from strangers, whose index could say anything.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from hashlib import blake2s
from pathlib import Path
from sqlite3 import Connection, DatabaseError, OperationalError, connect

from cnnlab.data.folders import cache_folder
from cnnlab.places import sources_digest
from cnnlab.runs.entry import Entry, from_json, to_json
from cnnlab.runs.run import Run

PATIENCE = 1.0  # seconds that another process may write meanwhile

Stamp = tuple[int, ...]  # what the system says of a run's files


@dataclass(frozen=True)
class Known:
    """A run's stamp and its entry; None of a run that cannot be read."""

    stamp: Stamp
    entry: Entry | None

    @property
    def is_running(self) -> bool:
        return self.entry is not None and self.entry.status == "running"


class Index:
    """The index of the store in a folder; several processes may use it at once."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self.path = cache_folder() / "runs" / f"{blake2s(str(store.resolve()).encode(), digest_size=16).hexdigest()}.db"

    def load(self) -> dict[str, Known]:
        """Return what is known of each run by its id; nothing where there is no usable index."""
        try:
            with self._opened() as database:
                rows = database.execute("SELECT id, stamp, entry FROM runs").fetchall()
            # All at once, so that equal keys become one string in memory.
            stamps, entries = (json.loads(f"[{','.join(row[column] for row in rows)}]") for column in (1, 2))
            return {
                run_id: Known(tuple(stamp), from_json(Run(self._store / run_id), values) if values else None)
                for (run_id, *_), stamp, values in zip(rows, stamps, entries, strict=True)
            }
        except (OperationalError, OSError):  # cannot be opened, or is written by another process all the time
            return {}
        except (DatabaseError, KeyError, TypeError, ValueError):
            with suppress(OSError):
                self.path.unlink()
            return {}

    def save(self, changed: Mapping[str, Known], gone: Collection[str]) -> None:
        """Write what has changed; a failure to write is ignored: then the next process reads these runs again."""
        rows = [
            (run_id, json.dumps(known.stamp), to_json(known.entry) if known.entry else "null")
            for run_id, known in changed.items()
        ]
        with suppress(DatabaseError, OSError), self._opened() as database:
            database.execute("BEGIN IMMEDIATE")
            database.executemany("INSERT OR REPLACE INTO runs VALUES (?, ?, ?)", rows)
            database.executemany("DELETE FROM runs WHERE id = ?", [(run_id,) for run_id in gone])

    @contextmanager
    def _opened(self) -> Iterator[Connection]:
        """Open the database, empty where another state of the program made it; what is written counts as a whole."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with closing(connect(self.path, timeout=PATIENCE, isolation_level=None)) as database, database:
            database.execute("PRAGMA synchronous = OFF")  # a loss of power costs the index, no run
            if database.execute("PRAGMA user_version").fetchone() != (version(),):
                database.execute("BEGIN IMMEDIATE")
                database.execute("DROP TABLE IF EXISTS runs")
                database.execute("CREATE TABLE runs (id TEXT PRIMARY KEY, stamp TEXT, entry TEXT)")
                database.execute(f"PRAGMA user_version = {version()}")
                database.execute("COMMIT")
            yield database


def version() -> int:
    """Return a number for all that decides an entry beside the run's files: the program and the time zone of titles."""
    made_by = f"{sources_digest()} {time.tzname} {time.timezone}"
    return int.from_bytes(blake2s(made_by.encode(), digest_size=4).digest()) >> 1 or 1  # 31 bits; 0 is a new file's
