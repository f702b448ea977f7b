"""Files that are written whole or not at all, whoever else writes them, and JSON as other programs save it."""

from __future__ import annotations

import os
import secrets
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from filelock import FileLock

ABANDONED = timedelta(hours=1)  # nobody pauses so long within one file: its writer was killed
PATIENCE_SECONDS = 10.0  # for what takes milliseconds

_PART = ".cnnlab-{}.part"  # a name that no reader takes for a file of its own, and nobody else uses


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
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


def write_whole(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8 in place of what ``path`` held. Raises OSError."""
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Wait for whoever else is within for ``folder``: what is read there and written back is one step.

    Raises TimeoutError, which is an OSError, where another stays within for long.
    """
    with FileLock(folder / ".changing", timeout=PATIENCE_SECONDS, is_singleton=False):
        yield


def is_past(path: Path, age: timedelta) -> bool:
    """Whether nobody has changed ``path`` for so long. Raises OSError where it is not there."""
    return datetime.now(UTC) - datetime.fromtimestamp(path.stat().st_mtime, UTC) > age


def plain_json(content: bytes) -> bytes:
    """JSON as UTF-8 without a byte-order mark, which some editors write; UTF-16 is read by its mark."""
    if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace").encode()
    return content.removeprefix(BOM_UTF8)


def _delete_abandoned(folder: Path) -> None:
    for part in folder.glob(_PART.format("*")):
        with suppress(OSError):  # another deletes it at the same time
            if is_past(part, ABANDONED):
                part.unlink()
