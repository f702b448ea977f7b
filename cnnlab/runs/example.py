"""A trained network that comes with the app, so that no page is ever empty; benchmarks/make_example.py trains it."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cache
from pathlib import Path
from shutil import copytree

from cnnlab.files import folder_aside

FOLDER = Path(__file__).parent / "example"
TAG = "example"


@cache
def example_id() -> str:
    """Return the id of the run that comes with the app."""
    (folder,) = (path for path in FOLDER.iterdir() if path.is_dir())
    return folder.name


def is_wanted() -> bool:
    """Return whether pages shall have the example: the environment's CNNLAB_EXAMPLE is not "no"."""
    return os.environ.get("CNNLAB_EXAMPLE") != "no"


def add_example(runs: Path) -> None:
    """Put the example among the runs of a folder, unless it is there or not wanted.

    Where it cannot be written there is none: the first training will say why.
    """
    name = example_id()
    if not is_wanted() or (runs / name).exists():
        return
    with suppress(OSError):
        runs.mkdir(parents=True, exist_ok=True)
        with folder_aside(runs) as aside:
            copytree(FOLDER / name, aside / name)
            (aside / name).rename(runs / name)  # fails where another server was faster
