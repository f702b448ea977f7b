"""Bursts: pictures taken in a row, in a folder ``burst-1``, ``burst-2``, … of their class.

The pictures of a burst show one thing before one background: a split through it would test a network on what it has
learned by heart.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

import numpy as np
import numpy.typing as npt

from cnnlab.data.pictures.version import Row

BURST = "burst-"  # what the name of a burst's folder begins with
STRETCHES = 7  # into which a class of a single burst is cut: 14 % each, about as many as are tested on
_FOLDER = re.compile(rf"{BURST}\d+", re.IGNORECASE)

Numbers = npt.NDArray[np.int64]  # (N,)


def is_burst(folder: str) -> bool:
    """Tell whether a folder is that of a burst by its name."""
    return bool(_FOLDER.fullmatch(folder))


def burst_of(path: str) -> str:
    """Return the folder of a picture's burst, such as ``cup/burst-2``; empty where it is of none."""
    folder = PurePosixPath(path).parent
    return str(folder) if is_burst(folder.name) and len(folder.parts) > 1 else ""


def members(paths: Iterable[str]) -> list[list[int]]:
    """List the pictures of each burst by their numbers, ascending."""
    found: dict[str, list[int]] = defaultdict(list)
    for number, path in enumerate(paths):
        found[burst_of(path)].append(number)
    found.pop("", None)
    return list(found.values())


def parted(groups: Numbers, paths: Sequence[str], labels: Numbers, chosen: npt.NDArray[np.bool_]) -> Numbers:
    """Divide groups so that each class of bursts has several among the ``chosen`` pictures, and a split can be made.

    A class that is one group is divided between its bursts, which only look alike. Where it is one burst, too, it is
    cut into stretches of pictures taken in a row: a random split would put neighbours on both sides.
    """
    groups = groups.copy()
    for label in np.unique(labels[chosen]):
        of_class = np.flatnonzero(chosen & (labels == label))
        bursts = [burst_of(paths[number]) for number in of_class.tolist()]
        if not all(bursts) or len(np.unique(groups[of_class])) > 1:
            continue
        parts = np.unique(bursts, return_inverse=True)[1]
        if not parts.any():
            parts = np.arange(len(of_class)) * STRETCHES // len(of_class)
        groups[of_class] = groups.max() + 1 + parts
    return groups


def divided(rows: Sequence[Row]) -> list[list[int]]:
    """List the bursts, as numbers of their pictures, that have both training and test pictures."""
    bursts = members(row.path for row in rows)
    return [burst for burst in bursts if len({rows[number].split for number in burst}) > 1]


def advice(classes: Sequence[str], rows: Sequence[Row]) -> list[str]:
    """Say of which classes the accuracy will be too good, for there are too few bursts to split them honestly."""
    tested = {rows[number].label for burst in divided(rows) for number in burst}
    trained: dict[int, set[str]] = defaultdict(set)
    for row in rows:
        if row.split == "train":
            trained[row.label].add(burst_of(row.path))
    validated = {label for label, bursts in trained.items() if len(bursts) == 1 and "" not in bursts} - tested
    return [
        f"{', '.join(classes[label] for label in sorted(labels))}: {whose} pictures are from the same burst as "
        f"training pictures, so the {whose} accuracy is too high. Record more bursts, each in front of another "
        "background."
        for whose, labels in (("test", tested), ("validation", validated))
        if labels
    ]
