"""The journal of a store: a line with the id of each run whose summary or notes were written, by any process.

It only saves time: without it, a change is noticed when the run's files are looked at again.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from stat import S_ISREG

LONGEST = 1_000_000  # bytes, about 25,000 lines: then it starts over


def note(store: Path, run_id: str) -> None:
    """Add a run to the journal of its store; a failure to write is ignored."""
    path = _journal(store)
    with suppress(OSError):
        with path.open("ab") as file:
            file.write(f"{run_id}\n".encode())  # in one write, so that two processes do not mix their lines
            is_full = file.tell() > LONGEST
        if is_full:
            path.unlink()


class Reader:
    """A place in a journal, at first its end."""

    def __init__(self, store: Path) -> None:
        self._path = _journal(store)
        self._place = self._size()

    def news(self) -> set[str] | None:
        """Return the runs noted since the last call; None where the journal started over, so it may be any of them."""
        size = self._size()
        if size < self._place:
            self._place = size
            return None
        if size == self._place:
            return set()
        with self._path.open("rb") as file:
            file.seek(self._place)
            lines = file.read(size - self._place)
        whole = lines[: lines.rfind(b"\n") + 1]  # the last line may be half written
        self._place += len(whole)
        return set(whole.decode(errors="replace").split())

    def _size(self) -> int:
        """Return the journal's bytes, 0 where there is none."""
        try:
            status = self._path.stat()
        except OSError:
            return 0
        return status.st_size if S_ISREG(status.st_mode) else 0


def _journal(store: Path) -> Path:
    return store / ".journal"
