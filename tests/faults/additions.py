"""Pictures added by a process that is killed before each of its writes: the data set is as it was, or has them all."""

from __future__ import annotations

from itertools import count
from multiprocessing import get_context
from pathlib import Path
from shutil import copytree

import torch

from cnnlab.data.pictures.store import Library
from tests.data.pictures.photos import added, folder_of, photos
from tests.faults.kills import end_before_write

NAME = "photos"

_processes = get_context("fork")  # a child has torch at once, and none of the threads that a fork would lose


def survived_at_each_write(folder: Path) -> tuple[int, int]:
    """After how many of all writes a kill left a library whose versions are whole and that takes the pictures again."""
    torch.set_num_threads(1)
    first = folder_of(photos(each=4), folder / "first")
    more = folder_of(photos(each=6), folder / "more")
    added(first, Library(folder / "whole"), NAME)
    before = _contents(Library(folder / "whole"))
    good = 0
    for write in count(1):
        library = Library(Path(copytree(folder / "whole", folder / f"killed-{write}")))
        child = _processes.Process(target=_work, args=[more, library, write])
        child.start()
        child.join()
        if not child.exitcode:  # it has no more writes
            return good, write - 1
        after = _contents(library)
        is_whole = after in (before, {**before, 2: after.get(2)})
        good += is_whole and added(more, library, NAME).version.number == len(after) + 1
    raise AssertionError


def _work(source: Path, library: Library, kill_at: int) -> None:
    end_before_write(kill_at, library.folder)
    added(source, library, NAME)


def _contents(library: Library) -> dict[int, list[object]]:
    """Read all of each version."""
    return {
        version.number: [
            version.digest,
            library.rows(version),
            library.pixels(version).tolist(),
            library.features(version).tolist(),
            [library.preview(version, row) for row in library.rows(version)],
        ]
        for version in library.versions(NAME)
    }
