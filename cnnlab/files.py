"""Atomic writing of files and folders, reading within limits, and locks on folders."""

from __future__ import annotations

import os
import secrets
import stat
import struct
import sys
import time
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from io import SEEK_SET
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryFile, mkdtemp
from typing import IO, Any, TypeVar
from zipfile import BadZipFile

from filelock import FileLock, Timeout

ABANDONED = timedelta(hours=1)  # no writer pauses so long within one file: it was killed
DELETED_ARE_KEPT = timedelta(days=7)
PATIENCE_SECONDS = 10.0  # for work that takes milliseconds
LOCK_PATIENCE = 1.0  # seconds
COARSE = 2_000_000_000  # nanoseconds between two times of a file that some file systems tell apart

KEPT_BYTES = 100_000  # of a file that is read once

Parsed = TypeVar("Parsed")

_PART = ".cnnlab-{}.part"  # a name that no reader uses and no other writer has
_ASIDE = ".incoming-"  # prefix of such names of folders


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside ``path`` to write to; the file is synced to disk before it becomes ``path``.

    A reader sees the old file or the new one, never half of one, and of several writers each replaces the whole file.
    After a failure the old one stays. Old temporary files of killed writers in the folder are deleted.
    """
    _delete_abandoned(path.parent)
    part = path.with_name(_PART.format(secrets.token_hex(8)))
    try:
        yield part
        with part.open("r+b") as file:  # Windows syncs only writable files
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        with suppress(OSError):  # the folder may be what failed
            part.unlink(missing_ok=True)


def atomic_write(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8 in place of what ``path`` held. Raises OSError."""
    with atomic_file(path) as part:
        part.write_text(text, encoding="utf-8")


@contextmanager
def folder_aside(folder: Path) -> Iterator[Path]:
    """Yield a new hidden folder in ``folder``, to fill and to move out of what shall appear as a whole.

    It is locked meanwhile, and gone afterwards with what is left in it. Raises OSError.
    """
    aside = Path(mkdtemp(dir=folder, prefix=_ASIDE))
    try:
        with lock(aside, BlockingIOError()):
            yield aside
    finally:
        rmtree(aside, ignore_errors=True)


def clear_aside(folder: Path) -> None:
    """Remove the folders aside in ``folder`` that killed processes left; a failure to is ignored."""
    for aside in folder.glob(f"{_ASIDE}*"):
        with suppress(OSError):  # among them that somebody holds its lock, or removes it at the same time
            if is_older(aside, ABANDONED):
                with lock(aside, BlockingIOError()):
                    rmtree(aside)


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold an exclusive lock on ``folder``, so that reading there and writing back is one step.

    Raises TimeoutError, which is an OSError, where another holds the lock for too long.
    """
    with FileLock(folder / ".changing", timeout=PATIENCE_SECONDS, is_singleton=False):
        yield


def is_older(path: Path, age: timedelta) -> bool:
    """Tell whether ``path`` has been unchanged for longer than ``age``. Raises OSError where it is missing."""
    return datetime.now(UTC) - datetime.fromtimestamp(path.stat().st_mtime, UTC) > age


def read_limited(path: Path, limit: int) -> bytes:
    """Return the contents of a file. Raises OSError where it exceeds ``limit`` bytes, or is a device or a pipe."""
    if regular(path).stat().st_size > limit:
        raise OSError(f"{path.name} has more than {limit:,} bytes")
    return path.read_bytes()


def read_parsed(path: Path, limit: int, parse: Callable[[bytes], Parsed]) -> Parsed:
    """Return what ``parse`` makes of a file's contents: the same object as long as the file has not changed.

    So nobody may change it. Raises OSError as ``read_limited`` does, and what ``parse`` raises.
    """
    status = path.stat()
    is_settled = time.time_ns() - status.st_mtime_ns > COARSE  # else it may change once more without another time
    if status.st_size > KEPT_BYTES or not is_settled:
        return parse(read_limited(path, limit))
    parsed: Parsed = _parsed(path, (status.st_mtime_ns, status.st_ino, status.st_size), limit, parse)
    return parsed


@lru_cache(maxsize=4096)
def _parsed(path: Path, stamp: tuple[int, int, int], limit: int, parse: Callable[[bytes], Any]) -> Any:
    return parse(read_limited(path, limit))


def bytes_below(*folders: Path) -> int:
    """Return the bytes of all files in folders and those within them; of what vanishes meanwhile, none.

    A file that has several names there counts once.
    """
    known: set[tuple[int, int]] = set()  # of files with several names: device and inode
    return sum(_bytes_below(folder, known) for folder in folders)


def _bytes_below(folder: str | Path, known: set[tuple[int, int]]) -> int:
    count = 0
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):
                if entry.is_dir(follow_symlinks=False):
                    count += _bytes_below(entry.path, known)
                else:
                    count += _bytes_of(entry.stat(follow_symlinks=False), known)
    return count


def _bytes_of(file: os.stat_result, known: set[tuple[int, int]]) -> int:
    which = (file.st_dev, file.st_ino)
    if which in known:
        return 0
    if file.st_nlink > 1:
        known.add(which)
    return file.st_size


def regular(path: Path) -> Path:
    """Return ``path``. Raises OSError where it is missing, a folder, or a device or pipe, which can block a reader."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(f"{path.name} is no plain file")
    return path


class Guarded:
    """A ZIP archive's file that refuses long reads: zipfile reads the list of entries at once, whatever its length."""

    def __init__(self, file: IO[bytes], longest: int, refusal: Exception) -> None:
        self._file, self._longest, self._refusal = file, longest, refusal
        self.tell, self.seekable = file.tell, file.seekable

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        """Move to a position. Raises BadZipFile where it lies before the beginning."""
        if whence == SEEK_SET and offset < 0:
            raise BadZipFile("its beginning is missing")
        return self._file.seek(offset, whence)

    def read(self, size: int = -1) -> bytes:
        """Read ``size`` bytes, or what is left as far as the bound. Raises the refusal where they are too many."""
        if size > self._longest:
            raise self._refusal
        return self._file.read(size if size >= 0 else self._longest)


def through_file(write: Callable[[IO[bytes]], object], folder: Path) -> bytes:
    """Return what ``write`` writes, by a file in ``folder``: memory holds it once. Raises OSError."""
    with TemporaryFile(dir=folder) as file:
        write(file)
        file.seek(0)
        return file.read()


def plain_json(content: bytes) -> bytes:
    """Return JSON as UTF-8 without a byte-order mark, which some editors write; UTF-16 is recognised by its mark."""
    if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace").encode()
    return content.removeprefix(BOM_UTF8)


def _delete_abandoned(folder: Path) -> None:
    for part in folder.glob(_PART.format("*")):
        with suppress(OSError):  # another deletes it at the same time
            if is_older(part, ABANDONED):
                part.unlink()


# A lock on a folder is one on a file in it, which the system releases when the process dies. On Linux it is a lock of
# the open file (man 2 F_OFD_SETLK): it can be tested without being taken, by other threads, processes and containers
# alike. Elsewhere a test has to take it for an instant, so everyone waits a little for it.
if sys.platform == "linux":
    import fcntl

    _FLOCK = struct.Struct("hhqqi0q")  # C's struct flock: kind, origin, first byte, length (0: all), process
    _WHOLE = {kind: _FLOCK.pack(kind, 0, 0, 0, 0) for kind in (fcntl.F_WRLCK, fcntl.F_UNLCK)}

    @contextmanager
    def lock(folder: Path, refusal: Exception) -> Iterator[None]:
        """Lock ``folder`` until the block ends. Raises ``refusal`` where it is locked already."""
        with (folder / "lock").open("ab") as file:
            try:
                fcntl.fcntl(file, fcntl.F_OFD_SETLK, _WHOLE[fcntl.F_WRLCK])
            except BlockingIOError as error:
                raise refusal from error
            try:
                yield
            finally:  # closing is not enough while a forked child has it open too
                fcntl.fcntl(file, fcntl.F_OFD_SETLK, _WHOLE[fcntl.F_UNLCK])

    def is_locked(folder: Path) -> bool:
        """Tell whether anybody holds the lock of ``folder``; the test does not disturb other holders or tests."""
        try:
            with (folder / "lock").open("rb") as file:
                found = fcntl.fcntl(file, fcntl.F_OFD_GETLK, _WHOLE[fcntl.F_WRLCK])
                return bool(_FLOCK.unpack(found)[0] != fcntl.F_UNLCK)
        except OSError:  # no lock file: the folder was never locked
            return False

else:

    @contextmanager
    def lock(folder: Path, refusal: Exception) -> Iterator[None]:
        """Lock ``folder`` until the block ends. Raises ``refusal`` where it is locked already."""
        held = _file_lock(folder)
        try:
            held.acquire(timeout=LOCK_PATIENCE)
        except Timeout as error:
            raise refusal from error
        try:
            yield
        finally:
            held.release()

    def is_locked(folder: Path) -> bool:
        """Tell whether anybody holds the lock of ``folder``, ignoring other tests."""
        try:
            with _file_lock(folder).acquire(timeout=LOCK_PATIENCE / 4):
                return False
        except Timeout:
            return True
        except OSError:  # a read-only folder: nobody can hold its lock
            return False

    def _file_lock(folder: Path) -> FileLock:
        return FileLock(folder / "lock", is_singleton=False)
