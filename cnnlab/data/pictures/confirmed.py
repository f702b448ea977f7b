"""Labels that a person has looked at and found right, so that nobody is asked about them again.

They are kept beside the versions, by the file of each picture and its class: a version never changes.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from io import StringIO
from pathlib import Path

from cnnlab.data.pictures.store import Library
from cnnlab.data.pictures.version import MAX_TABLE, PictureSetError, Version
from cnnlab.files import atomic_write, exclusive, read_limited


def confirm(library: Library, version: Version, numbers: Iterable[int]) -> None:
    """Record that the labels of the pictures ``numbers`` of ``version`` are right. Raises PictureSetError, OSError."""
    library.check_ours(version.name)
    path = _path(library, version)
    rows = library.rows(version)
    with exclusive(path.parent):
        known = _read(path) | {(rows[number].digest, version.classes[rows[number].label]) for number in numbers}
        file = StringIO()
        csv.writer(file, lineterminator="\n").writerows(sorted(known))
        atomic_write(path, file.getvalue())


def confirmed(library: Library, version: Version) -> set[int]:
    """Return the numbers of the pictures whose labels were found right, and are as they were then.

    Raises PictureSetError where the table of the version or the file of confirmed labels is damaged.
    """
    known = _read(_path(library, version))
    rows = library.rows(version) if known else ()
    return {number for number, row in enumerate(rows) if (row.digest, version.classes[row.label]) in known}


def _path(library: Library, version: Version) -> Path:
    return library.folder / version.name / "confirmed.csv"


def _read(path: Path) -> set[tuple[str, str]]:
    try:
        text = read_limited(path, MAX_TABLE).decode()
        return {(digest, name) for digest, name in csv.reader(StringIO(text, newline=""))}
    except FileNotFoundError:
        return set()
    except (OSError, ValueError, csv.Error) as error:
        raise PictureSetError(
            f"{path.parent.name}/{path.name} is damaged: delete it, and look at the labels again"
        ) from error
