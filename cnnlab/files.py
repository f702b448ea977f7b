"""Files written whole or not at all, whoever else writes them; read within limits; folders locked while in use."""

from __future__ import annotations

import os
import secrets
import stat
import struct
import sys
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from filelock import FileLock, Timeout

ABANDONED = timedelta(hours=1)  # nobody pauses so long within one file: its writer was killed
DELETED_ARE_KEPT = timedelta(days=7)
PATIENCE_SECONDS = 10.0  # for what takes milliseconds
LOCK_PATIENCE = 1.0  # seconds

_PART = ".cnnlab-{}.part"  # a name that no reader takes for a file of its own, and nobody else uses


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Give a new name beside ``path`` to write to; what is written is on the disk before it becomes ``path``.

    A reader sees the old file or the new one, never half of one, and of several writers each replaces the whole file.
    After a failure the old one stays. What killed writers left in the folder long ago is deleted.
    """
    _delete_abandoned(path.parent)
    part = path.with_name(_PART.format(secrets.token_hex(8)))
    try:
        yield part
        with part.open("r+b") as file:  # Windows syncs only what may be written
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
def exclusive(folder: Path) -> Iterator[None]:
    """Wait for whoever else is within for ``folder``: what is read there and written back is one step.

    Raises TimeoutError, which is an OSError, where another stays within for long.
    """
    with FileLock(folder / ".changing", timeout=PATIENCE_SECONDS, is_singleton=False):
        yield


def is_older(path: Path, age: timedelta) -> bool:
    """Whether nobody has changed ``path`` for so long. Raises OSError where it is not there."""
    return datetime.now(UTC) - datetime.fromtimestamp(path.stat().st_mtime, UTC) > age


def read_limited(path: Path, limit: int) -> bytes:
    """What a file holds. Raises OSError where it has more than ``limit`` bytes, or is a device or a pipe."""
    if regular(path).stat().st_size > limit:
        raise OSError(f"{path.name} has more than {limit:,} bytes")
    return path.read_bytes()


def regular(path: Path) -> Path:
    """The same. Raises OSError where it is missing, a folder, or a device or pipe, on which a reader would wait."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(f"{path.name} is no plain file")
    return path


def plain_json(content: bytes) -> bytes:
    """JSON as UTF-8 without a byte-order mark, which some editors write; UTF-16 is read by its mark."""
    if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace").encode()
    return content.removeprefix(BOM_UTF8)


def _delete_abandoned(folder: Path) -> None:
    for part in folder.glob(_PART.format("*")):
        with suppress(OSError):  # another deletes it at the same time
            if is_older(part, ABANDONED):
                part.unlink()


# A lock on a folder is one on a file in it, which the system releases when the process dies. On Linux it is a lock of
# the open file (man 2 F_OFD_SETLK): it can be asked for without being taken, by other threads, processes and containers
# alike. Elsewhere who looks has to take it for an instant, so that all are patient.
if sys.platform == "linux":
    import fcntl

    _FLOCK = struct.Struct("hhqqi0q")  # C's struct flock: kind, counted from, first byte, length (0: all), process
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
            finally:  # to close it would not do while a forked child has it open too
                fcntl.fcntl(file, fcntl.F_OFD_SETLK, _WHOLE[fcntl.F_UNLCK])

    def is_locked(folder: Path) -> bool:
        """Whether anybody holds ``folder``; nobody who holds or looks notices the question."""
        try:
            with (folder / "lock").open("rb") as file:
                found = fcntl.fcntl(file, fcntl.F_OFD_GETLK, _WHOLE[fcntl.F_WRLCK])
                return bool(_FLOCK.unpack(found)[0] != fcntl.F_UNLCK)
        except OSError:  # there is none: nobody ever was at work there
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
        """Whether anybody holds ``folder``, and not only looks."""
        try:
            with _file_lock(folder).acquire(timeout=LOCK_PATIENCE / 4):
                return False
        except Timeout:
            return True
        except OSError:  # a read-only folder: nobody can be at work there
            return False

    def _file_lock(folder: Path) -> FileLock:
        return FileLock(folder / "lock", is_singleton=False)
