"""The class and the split of each picture, read from its path or from a table of names and labels."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import PurePosixPath

from cnnlab.data.pictures.bursts import is_burst
from cnnlab.drawings.images import SUFFIXES
from cnnlab.errors import CnnLabError

SPLITS = {
    "train": "train",
    "training": "train",
    "val": "train",  # which images validate is a run's choice, of all that it may train on
    "valid": "train",
    "validation": "train",
    "test": "test",
    "testing": "test",
}
MAX_CLASSES = 1_000
MAX_CLASS_NAME = 80  # characters
FEWEST_A_CLASS = 3  # pictures: one to train on, one to validate, one to test
LITTER = re.compile(r"(.*/)?(__MACOSX/.*|\.[^/]*(/.*)?|(?i:Thumbs\.db|desktop\.ini|ehthumbs\.db))")
TABLES = (".csv", ".tsv")


class LayoutError(CnnLabError):
    """Files whose classes cannot be told; the message says how to lay them out."""


@dataclass(frozen=True)
class Position:
    """What a picture's position says: its class, and its split where a folder names one."""

    label: str
    split: str = ""  # "train", "test" or empty: to be chosen


def is_litter(path: str) -> bool:
    """Tell whether a file is one that systems leave in folders and archives."""
    return bool(LITTER.fullmatch(path))


def is_picture_name(path: str) -> bool:
    """Tell whether a file's ending is that of a picture."""
    return PurePosixPath(path).suffix.lower().removeprefix(".") in SUFFIXES


def positions(paths: Sequence[str], labels: Mapping[str, str] | None = None) -> dict[str, Position]:
    """Find the class and the split of each picture by its path.

    Folders that hold all the rest are skipped; then come, where they are there, ``train``, ``val`` and ``test``, and
    then a folder per class; deeper folders belong to the class. ``labels`` from a table by path take their place.
    Raises LayoutError where there are no classes.
    """
    if labels is not None:
        return {path: Position(labels[path], _split_of(path)) for path in paths if path in labels}
    parts = {path: PurePosixPath(path).parts for path in paths}
    depth = _depth(list(parts.values()))
    tops = {part[depth] for part in parts.values() if len(part) > depth + 1}
    has_splits = bool(tops) and all(top.lower() in SPLITS for top in tops)
    found = {}
    for path, part in parts.items():
        split = SPLITS[part[depth].lower()] if has_splits and len(part) > depth + 1 else ""
        at = depth + has_splits
        if len(part) > at + 1:
            found[path] = Position(part[at][:MAX_CLASS_NAME], split)
    if not found:
        raise LayoutError(
            "no picture is in a class folder: make one folder per class, or put a CSV of names and labels next to "
            "the pictures"
        )
    return found


def have_classes(paths: Sequence[str]) -> bool:
    """Tell whether pictures lie in folders of two classes or more."""
    try:
        return len({position.label for position in positions(paths).values()}) > 1
    except LayoutError:
        return False


def read_labels(content: bytes, paths: Sequence[str], folder: str) -> dict[str, str] | None:
    """Read a table of file names and labels; None where it is no such table.

    The column whose values are most often names of the files in ``folder`` or below names them, with or without
    ending; of the others the one named like a label counts, else the last one of the fewest different values above one.
    """
    text = content.decode("utf-8-sig", errors="replace")
    dialect = "\t" if text.partition("\n")[0].count("\t") else ";" if text.partition("\n")[0].count(";") else ","
    rows = [row for row in csv.reader(StringIO(text), delimiter=dialect) if len(row) > 1]
    width = min((len(row) for row in rows), default=0)
    if width < 2:
        return None
    names = _names(paths, folder)
    hits = [sum(row[column].strip() in names for row in rows) for column in range(width)]
    name = hits.index(max(hits))
    if not hits[name]:
        return None
    label = _label_column(rows, width, name, names)
    found = {
        names[row[name].strip()]: row[label].strip()[:MAX_CLASS_NAME] for row in rows if row[name].strip() in names
    }
    return {path: value for path, value in found.items() if value}


def _names(paths: Iterable[str], folder: str) -> dict[str, str]:
    """Return the paths by all that a table may call them: relative path, file name, either without ending."""
    names: dict[str, str] = {}
    for path in paths:
        if path.startswith(folder):
            relative = path.removeprefix(folder)
            base = PurePosixPath(path).name
            for name in (relative, base, str(PurePosixPath(relative).with_suffix("")), PurePosixPath(base).stem):
                names.setdefault(name, path)
    return names


def _label_column(rows: Sequence[Sequence[str]], width: int, name: int, names: Mapping[str, str]) -> int:
    head = [title.strip().lower() for title in rows[0][:width]]
    for title in ("label", "class", "labels", "category", "target", "species", "breed"):
        if title in head and head.index(title) != name:
            return head.index(title)
    others = [column for column in range(width) if column != name]
    listed = [row for row in rows if row[name].strip() in names]
    counts = {column: len({row[column] for row in listed}) for column in others}
    return min(others, key=lambda column: (counts[column] < 2, counts[column], -column))


def _depth(parts: Sequence[tuple[str, ...]]) -> int:
    """Return how many leading folders hold everything, without those that are classes or splits themselves."""
    depth = 0
    while True:
        folders = {part[depth] for part in parts if len(part) > depth + 1}
        below = {part[depth + 1] for part in parts if len(part) > depth + 2 and not is_burst(part[depth + 1])}
        if len(folders) != 1 or not below or next(iter(folders)).lower() in SPLITS:
            return depth
        depth += 1


def _split_of(path: str) -> str:
    return next((SPLITS[part.lower()] for part in PurePosixPath(path).parts[:-1] if part.lower() in SPLITS), "")


def check_classes(counts: Counter[str]) -> None:
    """Raise LayoutError where classes are too few, too many or too small to train on."""
    if len(counts) < 2:
        only = next(iter(counts), "")
        raise LayoutError(
            f"there is only one class ({only!r}), but a network needs two: add a folder with another class or with "
            "other things"
            if counts
            else "no picture could be used: see the report"
        )
    if len(counts) > MAX_CLASSES:
        raise LayoutError(f"there are {len(counts):,} classes; at most {MAX_CLASSES:,} are possible")
    small = sorted(name for name, count in counts.items() if count < FEWEST_A_CLASS)
    if small:
        more = f" and {len(small) - 3} more" if len(small) > 3 else ""
        raise LayoutError(
            f"fewer than {FEWEST_A_CLASS} pictures in {', '.join(map(repr, small[:3]))}{more}: a class needs one each "
            "for training, validation and testing; add some or leave the class out"
        )
