"""Pictures that belong together: copies, near copies and shots of one burst, found by hashes, names and times."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from itertools import pairwise
from math import inf
from pathlib import PurePosixPath

import numpy as np
import numpy.typing as npt

from cnnlab.data.pictures.features import Images, Pixels

BITS = 10  # of 64 that two hashes of near duplicates may differ in
ALIKE = 0.93  # correlation of their pixels, at the least
COMPARED = 8_000_000  # pairs of hashes at once: 64 MB
BURST_SECONDS = 2.0  # between two shots of one burst
LARGEST_SERIES = 0.25  # share of a class that one series of names may have; above that it tells nothing
NEAR = 10  # between the numbers of two neighbours in a series of names
# Names before a number that say nothing of what a picture shows. "frame" is none: a video's frames do belong together.
COUNTED_BY_CAMERAS = {
    *("img", "image", "images", "dsc", "dscn", "dscf", "pxl", "sam", "gopr", "scan", "screenshot", "download", "file"),
    *("photo", "photos", "picture", "pictures", "pic", "unnamed", "untitled"),
}
_COUNTED = re.compile(r"(.*?)[\s._-]*\(?([0-9]{1,18})\)?")  # a name that ends with a number


class Groups:
    """Sets of numbers 0…N−1 that are joined pair by pair (union–find)."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))

    def root(self, one: int) -> int:
        """Return the number that stands for the group of ``one``."""
        while self._parent[one] != one:
            self._parent[one] = self._parent[self._parent[one]]
            one = self._parent[one]
        return one

    def join(self, one: int, other: int) -> None:
        """Put the groups of both together; the smallest number stands for them."""
        first, second = sorted((self.root(one), self.root(other)))
        self._parent[second] = first

    def join_all(self, numbers: Sequence[int]) -> None:
        """Put the groups of all numbers together."""
        for other in numbers[1:]:
            self.join(numbers[0], other)

    def roots(self) -> list[int]:
        """Return for each number the one that stands for its group."""
        return [self.root(one) for one in range(len(self._parent))]

    def several(self) -> list[list[int]]:
        """List the groups of more than one, ascending."""
        found: dict[int, list[int]] = defaultdict(list)
        for number, root in enumerate(self.roots()):
            found[root].append(number)
        return [group for group in found.values() if len(group) > 1]


def copies(digests: Sequence[str]) -> Groups:
    """Group files of equal content."""
    groups = Groups(len(digests))
    first: dict[str, int] = {}
    for number, digest in enumerate(digests):
        groups.join(first.setdefault(digest, number), number)
    return groups


def near_pairs(hashes: npt.NDArray[np.uint64], images: Images) -> Iterator[tuple[int, int]]:
    """Yield pairs of pictures whose hashes differ in at most BITS bits and whose pixels correlate by ALIKE or more."""
    block = max(1, COMPARED // max(1, len(hashes)))
    for start in range(0, len(hashes), block):
        rows = hashes[start : start + block]
        differing = np.bitwise_count(rows[:, None] ^ hashes[None, start:])  # (B, N − start)
        for row, column in np.argwhere(differing <= BITS).tolist():
            one, other = start + row, start + column
            if one < other and correlation(images[one], images[other]) >= ALIKE:
                yield one, other


def correlation(one: Pixels, other: Pixels) -> float:
    """Return the correlation of two images of one shape; 1 for two plain ones, 0 for a plain one and another."""
    a, b = (image.astype(np.float32) - image.mean() for image in (one, other))
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / size if size > 0 else float(not a.any() and not b.any())


def series(paths: Sequence[str], labels: Sequence[str]) -> Iterator[list[int]]:
    """Yield the pictures of a class whose names differ only in a last number, as ``cup 3 (2)`` and ``cup 3 (5)``.

    Their numbers are near each other. A series of more than a quarter of its class is only how a camera counts, and so
    is one that is called like a class, as ``horse003``, or as cameras and browsers do, as ``IMG_0003``.
    """
    found: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    plain = {_plain(label) for label in labels} | COUNTED_BY_CAMERAS
    for number, (path, label) in enumerate(zip(paths, labels, strict=True)):
        name = PurePosixPath(path)
        counted = _COUNTED.fullmatch(name.stem)
        if counted and counted[1] and _plain(counted[1]) not in plain:
            found[label, str(name.with_name(counted[1]))].append((int(counted[2]), number))
    sizes = Counter(labels)
    for (label, _), group in found.items():
        if len(group) <= max(2, LARGEST_SERIES * sizes[label]):
            yield from (part for part in _near(group) if len(part) > 1)


def _near(counted: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Divide pictures, given as their count and their number, where counts are too far apart; numbers ascending."""
    parts: list[list[int]] = []
    last = -inf
    for count, number in sorted(counted):
        if count - last > NEAR:
            parts.append([])
        parts[-1].append(number)
        last = count
    return sorted(map(sorted, parts))


def _plain(name: str) -> str:
    """Return the letters and digits of a name, in small letters."""
    return re.sub(r"[\W_]", "", name).casefold()


def bursts(times: Iterable[float | None]) -> Iterator[tuple[int, int]]:
    """Yield pairs of pictures that were taken within BURST_SECONDS, each with the next."""
    known = sorted((time, number) for number, time in enumerate(times) if time is not None)
    for (earlier, one), (later, other) in pairwise(known):
        if later - earlier <= BURST_SECONDS:
            yield one, other


def alike(
    digests: Sequence[str], hashes: Sequence[int], images: Images, by_looks: bool = True
) -> tuple[Groups, Groups]:
    """Group copies, and copies and near duplicates together; there are none of these unless ``by_looks``."""
    exact, near = copies(digests), copies(digests)
    if by_looks:
        for one, other in near_pairs(np.array(hashes, np.uint64), images):
            near.join(one, other)
    return exact, near


def grouped(alike: tuple[Groups, Groups], together: Iterable[Sequence[int]]) -> npt.NDArray[np.int64]:
    """Number the groups (N,) that no split may divide: pictures that look alike, and those that belong ``together``."""
    groups = deepcopy(alike[1])
    for members in together:
        groups.join_all(members)
    return np.unique(groups.roots(), return_inverse=True)[1]


Numbers = list[list[int]]


def findings(alike: tuple[Groups, Groups], labels: Sequence[int]) -> tuple[Numbers, Numbers, Numbers]:
    """List what should not be: the same picture in two classes, near duplicates in one class, and copies in one."""
    exact, near = alike

    def is_mixed(group: Sequence[int]) -> bool:
        return len({labels[number] for number in group}) > 1

    same = [group for group in near.several() if is_mixed(group)]
    copied = [group for group in exact.several() if not is_mixed(group)]
    alone = [group for group in near.several() if not is_mixed(group)]
    return same, [group for group in alone if len({exact.root(number) for number in group}) > 1], copied
