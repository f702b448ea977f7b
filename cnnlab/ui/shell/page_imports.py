"""The modules of pages that nobody has opened yet, imported in the background.

Together they take some 3 s of a core, which the first visit to each page would wait for: up to 2 s a page beside a
training.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from threading import Event

from cnnlab.jobs.job import running_jobs
from cnnlab.places import app_folder
from cnnlab.threads import WorkerThread

BEGINS_AFTER = 2.0  # seconds: until then the first page is being drawn
LOOKS_EVERY = 5.0  # seconds, while a training runs: its first epochs should not wait for pages


def begin() -> None:
    """Import in a thread what all pages import, between trainings."""
    is_ended = Event()
    WorkerThread(lambda: _import_all(is_ended), end=is_ended.set, name="import pages", is_left=True).start()


def imports_of(script: Path) -> Iterator[str]:
    """Yield the names of the modules that a page's script imports."""
    for node in ast.parse(script.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def _import_all(is_ended: Event) -> None:
    if is_ended.wait(BEGINS_AFTER):
        return
    for script in (app_folder() / "app.py", *sorted(app_folder().glob("pages/*.py"))):
        for name in imports_of(script):
            while running_jobs():
                if is_ended.wait(LOOKS_EVERY):
                    return
            if is_ended.is_set():
                return
            import_module(name)
