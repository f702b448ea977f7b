"""A folder is held while a process works in it: a lock file, which the system lets go of when the process dies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

PATIENCE_SECONDS = 1.0  # who looks whether a folder is held holds it for an instant


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
    """Whether anybody holds ``folder``."""
    try:
        with _lock(folder).acquire(timeout=0):
            return False
    except Timeout:
        return True
    except OSError:  # a read-only folder: nobody can be at work there
        return False


def _lock(folder: Path) -> FileLock:
    return FileLock(folder / "lock", is_singleton=False)
