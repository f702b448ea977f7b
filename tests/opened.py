"""Which files and folders are opened while something happens."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import get_ident
from typing import Any

_listeners: list[tuple[int | None, list[str]]] = []


def _listen(event: str, arguments: tuple[Any, ...]) -> None:
    if event in ("open", "os.scandir", "os.listdir"):
        for thread, files in _listeners:
            if thread in (None, get_ident()):
                files.append(str(arguments[0]))


sys.addaudithook(_listen)  # for good, so once


@contextmanager
def opened(thread: int | None = None) -> Iterator[list[str]]:
    """Files and folders that this process opens within, or only one of its threads."""
    listener: tuple[int | None, list[str]] = (thread, [])
    _listeners.append(listener)
    try:
        yield listener[1]
    finally:
        _listeners.remove(listener)
