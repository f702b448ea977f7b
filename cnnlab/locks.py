"""A folder is held while a process works in it: a lock on a file, which the system lets go of when the process dies.

On Linux it is a lock of the open file (man 2 F_OFD_SETLK): it can be asked for without being taken, by other threads,
processes and containers alike. Elsewhere who looks has to take it for an instant, so that all are patient.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

PATIENCE_SECONDS = 1.0

if sys.platform == "linux":
    import fcntl

    _FLOCK = struct.Struct("hhqqi0q")  # C's struct flock: kind, counted from, first byte, length (0: all), process
    _WHOLE = {kind: _FLOCK.pack(kind, 0, 0, 0, 0) for kind in (fcntl.F_WRLCK, fcntl.F_UNLCK)}

    @contextmanager
    def hold(folder: Path, refusal: Exception) -> Iterator[None]:
        """Hold ``folder``. Raises ``refusal`` where another does."""
        with (folder / "lock").open("ab") as file:
            try:
                fcntl.fcntl(file, fcntl.F_OFD_SETLK, _WHOLE[fcntl.F_WRLCK])
            except BlockingIOError as error:
                raise refusal from error
            try:
                yield
            finally:  # to close it would not do while a forked child has it open too
                fcntl.fcntl(file, fcntl.F_OFD_SETLK, _WHOLE[fcntl.F_UNLCK])

    def is_held(folder: Path) -> bool:
        """Whether anybody holds ``folder``; nobody who holds or looks notices the question."""
        try:
            with (folder / "lock").open("rb") as file:
                found = fcntl.fcntl(file, fcntl.F_OFD_GETLK, _WHOLE[fcntl.F_WRLCK])
                return bool(_FLOCK.unpack(found)[0] != fcntl.F_UNLCK)
        except OSError:  # there is none: nobody ever was at work there
            return False

else:

    @contextmanager
    def hold(folder: Path, refusal: Exception) -> Iterator[None]:
        """Hold ``folder``. Raises ``refusal`` where another does."""
        lock = _lock(folder)
        try:
            lock.acquire(timeout=PATIENCE_SECONDS)
        except Timeout as error:
            raise refusal from error
        try:
            yield
        finally:
            lock.release()

    def is_held(folder: Path) -> bool:
        """Whether anybody holds ``folder``, and not only looks."""
        try:
            with _lock(folder).acquire(timeout=PATIENCE_SECONDS / 4):
                return False
        except Timeout:
            return True
        except OSError:  # a read-only folder: nobody can be at work there
            return False

    def _lock(folder: Path) -> FileLock:
        return FileLock(folder / "lock", is_singleton=False)
