"""What was read becomes a version: grouped, split, put in order and written."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from cnnlab.data.pictures import bursts, layout, similar
from cnnlab.data.pictures.decoding import Decoded, Fit
from cnnlab.data.pictures.features import Halves, Part
from cnnlab.data.pictures.raw import RawImages
from cnnlab.data.pictures.scenes import scenes
from cnnlab.data.pictures.sources import Source
from cnnlab.data.pictures.splitting import split_pictures
from cnnlab.data.pictures.store import features_name, previews_name
from cnnlab.data.pictures.version import Contents, Row, Version, digest_of, now
from cnnlab.data.pictures.writing import blocks, to_grey, write_features, write_pixels

Colour = Literal["auto", "rgb", "grey"]
TEST_SHARE = 0.15  # of the pictures, where the source has no test pictures of its own


@dataclass(frozen=True)
class Options:
    """How pictures become a data set; None: chosen by the pictures."""

    name: str
    title: str = ""
    size: int | None = None
    colour: Colour = "auto"
    fit: Fit = "crop"
    test_share: float = TEST_SHARE
    seed: int = 0  # which pictures are test pictures
    is_drawn: bool = False  # each drawn on its own, so that those that look alike may be parted


@dataclass(frozen=True)
class Added:
    """Tell what came of adding: the version, and what its pictures have in common."""

    version: Version
    rows: Sequence[Row]
    contents: Contents
    near_duplicates: list[list[str]]
    same_picture_two_classes: list[list[str]]
    copies: list[list[str]]  # of one file in its own class
    lost: tuple[str, ...] = ()  # classes of which no file could be used


@dataclass
class Read:
    """What was read so far, in the order of the pixels on disk."""

    paths: list[str] = field(default_factory=list)
    known: list[Decoded] = field(default_factory=list)  # without their pixels
    previews: list[tuple[int, int]] = field(default_factory=list)  # where each begins, and its bytes
    refused: list[tuple[str, str]] = field(default_factory=list)


def put_together(
    source: Source,
    options: Options,
    raw: RawImages,
    described: Halves,
    positions: dict[str, layout.Position],
    read: Read,
    ignored: tuple[tuple[str, str], ...],
    folder: Path,
) -> Added:
    """Group and split what was read, and write its pixels into ``folder`` in that order.

    Raises LayoutError where what was read cannot be trained on.
    """
    names = [positions[path].label for path in read.paths]
    layout.check_classes(Counter(names))
    classes = tuple(sorted(set(names), key=_natural))
    labels = np.array([classes.index(name) for name in names])
    digests, hashes = [one.digest for one in read.known], [one.hash for one in read.known]
    alike = similar.alike(digests, hashes, raw, by_looks=not options.is_drawn)
    groups = similar.grouped(alike, _together(read, names, labels, raw, described, options.is_drawn))
    given = [positions[path].split for path in read.paths]
    groups, splits = split_pictures(groups, read.paths, labels, given, options.test_share, options.seed)
    order = np.lexsort((np.arange(len(names)), splits == "test"))  # those to train on first
    rows = _rows(read, labels, groups, splits, order)
    version = _written(source.title, options, raw, read, rows, classes, order, folder)
    write_features(folder / features_name(version.pixels), described[order])
    same, near, copies = similar.findings(alike, labels.tolist())
    near_named, same_named, copies_named = [
        [[read.paths[number] for number in group] for group in groups] for groups in (near, same, copies)
    ]
    return Added(version, rows, Contents(tuple(read.refused), ignored), near_named, same_named, copies_named)


def _written(
    source: str,
    options: Options,
    raw: RawImages,
    read: Read,
    rows: Sequence[Row],
    classes: tuple[str, ...],
    order: npt.NDArray[np.int64],
    folder: Path,
) -> Version:
    """Write the pixels in ``order``, and describe the version."""
    is_grey = options.colour == "grey" or (options.colour == "auto" and all(one.is_grey for one in read.known))
    channels, size = 1 if is_grey else 3, raw.shape[-1]
    is_train = np.array([row.split != "test" for row in rows])
    train = int(is_train.sum())
    ordered = blocks(Part(raw, order))
    images = map(to_grey, ordered) if is_grey else ordered
    pixels, mean, std = write_pixels(folder, images, (channels, size, size), is_train)
    (folder / "previews").rename(folder / previews_name(pixels))
    return Version(
        name=options.name,
        number=1,
        title=options.title or options.name.replace("-", " ").capitalize(),
        classes=classes,
        channels=channels,
        size=size,
        fit=options.fit,
        train=train,
        test=len(rows) - train,
        mean=mean,
        std=std,
        digest=digest_of(rows, classes, pixels),
        pixels=pixels,
        is_drawn=options.is_drawn,
        source=source[:200],
        change="added",
        created=now(),
    )


def _together(
    read: Read,
    names: Sequence[str],
    labels: npt.NDArray[np.int64],
    raw: RawImages,
    described: Halves,
    is_drawn: bool,
) -> Iterator[Sequence[int]]:
    """Yield the pictures that belong together by names, folders and times, and by looks unless they are drawn."""
    yield from similar.series(read.paths, names)
    yield from bursts.members(read.paths)
    yield from similar.bursts(one.taken for one in read.known)
    if not is_drawn:
        yield from scenes(raw, described, labels)


def _rows(
    read: Read,
    labels: npt.NDArray[np.int64],
    groups: npt.NDArray[np.int64],
    splits: npt.NDArray[np.str_],
    order: npt.NDArray[np.int64],
) -> list[Row]:
    """Describe the pictures in the order of their pixels."""
    return [
        Row(
            path=read.paths[number],
            label=int(labels[number]),
            split=str(splits[number]),
            row=row,
            group=int(groups[number]),
            width=(one := read.known[number]).width,
            height=one.height,
            digest=one.digest,
            hash=one.hash,
            preview=read.previews[number][0],
            preview_bytes=read.previews[number][1],
            note=one.note,
        )
        for row, number in enumerate(order.tolist())
    ]


def _natural(name: str) -> list[tuple[int, str]]:
    """Sort ``2`` before ``10``."""
    return [(int(part), "") if part.isdecimal() else (0, part.lower()) for part in re.split(r"(\d+)", name)] + [
        (0, name)
    ]
