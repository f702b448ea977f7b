"""Adding pictures: every file of a source is read, refused or ignored, and what is good becomes a version."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path, PurePosixPath
from statistics import median
from typing import BinaryIO, Literal

import numpy as np
import numpy.typing as npt

from cnnlab.data.pictures import bursts, layout, similar
from cnnlab.data.pictures.decoding import Decoded, Fit, decode
from cnnlab.data.pictures.features import FEATURES, Floats, PatchFeatures
from cnnlab.data.pictures.scenes import scenes
from cnnlab.data.pictures.sources import Source, SourceError, SourceFile
from cnnlab.data.pictures.splitting import split_pictures
from cnnlab.data.pictures.store import Library, features_name, previews_name
from cnnlab.data.pictures.version import NAME, Contents, PictureSetError, Row, Version, digest_of
from cnnlab.data.pictures.writing import write_features, write_pixels
from cnnlab.drawings.images import picture_size
from cnnlab.drawings.strokes import DrawingError

Array = npt.NDArray[np.uint8]
Colour = Literal["auto", "rgb", "grey"]

USUAL_SIZE = 64  # pixels a side, where pictures are no smaller: enough to tell things apart, and quick to train on
SIZES = (28, 32, 48, USUAL_SIZE)  # to choose from where nobody chose
SAMPLED = 50  # pictures whose size is looked at for that
TEST_SHARE = 0.15  # of the pictures, where the source has no test pictures of its own
THREADS = 2  # that decode; decoders release the interpreter
AT_ONCE = 64  # pictures decoded ahead of being written
DESCRIBED_AT_ONCE = 1_024  # pictures


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
class Progress:
    """How far adding is."""

    doing: Literal["reading", "describing", "comparing", "storing"]
    number: int  # of the pictures
    total: int

    @property
    def done(self) -> float:
        """The completed fraction of the step."""
        return self.number / max(1, self.total)


@dataclass(frozen=True)
class Added:
    """Tell what came of adding: the version, and what its pictures have in common."""

    version: Version
    rows: Sequence[Row]
    contents: Contents
    near_duplicates: list[list[str]]
    same_picture_two_classes: list[list[str]]
    copies: list[list[str]]  # of one file in its own class


@dataclass
class _Read:
    """What was read so far, in the order of the pixels on disk."""

    paths: list[str] = field(default_factory=list)
    known: list[Decoded] = field(default_factory=list)  # without their pixels
    previews: list[tuple[int, int]] = field(default_factory=list)  # where each begins, and its bytes
    refused: list[tuple[str, str]] = field(default_factory=list)


def add(source: Source, options: Options, library: Library) -> Iterator[Progress | Added]:
    """Read all pictures of ``source`` into a new version, telling of progress; the last is what came of it.

    Nothing is changed before all is read: who stops to iterate, or is killed, leaves the library as it was.
    Raises SourceError, LayoutError or PictureSetError where there is nothing to train on, OSError where the disk fails.
    """
    if not re.fullmatch(NAME, options.name):
        raise PictureSetError(f"{options.name[:60]!r} is no name: small letters, digits and hyphens, 40 at the most")
    files = source.files()
    pictures, ignored, refused = _sorted(files)
    labels, table = _labels(source, files, [file.path for file in pictures])
    positions = layout.positions([file.path for file in pictures], labels)
    outside = [file.path for file in pictures if file.path not in positions]
    refused += [(path, "not in the table" if table else "in no folder of a class") for path in outside]
    ignored = [(path, "the table of labels" if path == table else reason) for path, reason in ignored]
    chosen = [file for file in pictures if file.path in positions]
    layout.check_classes(Counter(positions[file.path].label for file in chosen))
    size = options.size or _usual_size(source, chosen)
    with library.aside() as folder:
        read = _Read(refused=refused)
        with (folder / "read").open("w+b") as pixels, (folder / "previews").open("wb") as previews:
            yield from _read_all(source, chosen, replace(options, size=size), pixels, previews, read)
        raw = np.memmap(folder / "read", np.uint8, "r", shape=(len(read.paths), 3, size, size)) if read.paths else _NONE
        described = yield from _described(raw)
        yield Progress("comparing", 0, 1)
        added = _put_together(source, options, raw, described, positions, read, tuple(ignored), folder)
        yield Progress("storing", 0, 1)
        settled = library.settle(folder, added.version, added.rows, added.contents)
    yield replace(added, version=settled)


def _sorted(files: Sequence[SourceFile]) -> tuple[list[SourceFile], list[tuple[str, str]], list[tuple[str, str]]]:
    """Divide files into pictures to read, those to ignore and those refused unread, the last two with reasons."""
    pictures, ignored, refused = [], [], []
    for file in files:
        if file.refusal:
            refused.append((file.path, file.refusal))
        elif layout.is_litter(file.path):
            ignored.append((file.path, "left by a system"))
        elif not layout.is_picture_name(file.path):
            ignored.append((file.path, "no picture by its name"))
        else:
            pictures.append(file)
    return pictures, ignored, refused


def _labels(source: Source, files: Sequence[SourceFile], pictures: Sequence[str]) -> tuple[dict[str, str] | None, str]:
    """Read the labels of a table beside pictures that lie in no folder of a class; None where there is none."""
    tables = [file.path for file in files if PurePosixPath(file.path).suffix.lower() in layout.TABLES]
    for table in [] if layout.have_classes(pictures) else tables:
        folder = table.removesuffix(PurePosixPath(table).name)
        try:
            labels = layout.read_labels(source.read(table), pictures, folder)
        except SourceError:
            continue
        if labels:
            return labels, table
    return None, ""


def _usual_size(source: Source, files: Sequence[SourceFile]) -> int:
    """Choose the side of the images: the usual size, unless most pictures are smaller."""
    sides = []
    for file in files[:: max(1, len(files) // SAMPLED)]:
        try:
            sides.append(min(picture_size(source.read(file.path))))
        except (SourceError, DrawingError):
            continue
    usual = median(sides) if sides else USUAL_SIZE
    return next((size for size in SIZES if usual <= size), USUAL_SIZE)


def _read_all(
    source: Source, files: Sequence[SourceFile], options: Options, pixels: BinaryIO, previews: BinaryIO, read: _Read
) -> Iterator[Progress]:
    """Decode files in threads and write them one after another."""
    work = partial(_decoded, source, options.size or USUAL_SIZE, options.fit)
    with ThreadPoolExecutor(THREADS, "decode") as pool:
        for start in range(0, len(files), AT_ONCE):
            yield Progress("reading", start, len(files))
            part = files[start : start + AT_ONCE]
            for file, found in zip(part, pool.map(work, part), strict=True):
                if isinstance(found, str):
                    read.refused.append((file.path, found))
                    continue
                pixels.write(found.pixels.tobytes())
                read.previews.append((previews.tell(), previews.write(found.preview)))
                read.known.append(replace(found, pixels=_NONE, preview=b""))
                read.paths.append(file.path)
    yield Progress("reading", len(files), len(files))


_NONE = np.empty((0, 0, 0), np.uint8)


def _decoded(source: Source, size: int, fit: Fit, file: SourceFile) -> Decoded | str:
    """Decode a file, or tell why it is refused."""
    try:
        return decode(source.read(file.path), size, fit)
    except (SourceError, DrawingError) as error:
        return str(error)
    except MemoryError:
        return "there is not enough memory for it: make it smaller"


def _described(raw: Array) -> Generator[Progress, None, Floats]:
    """Describe all pictures, telling of progress."""
    if not len(raw):
        return np.empty((0, FEATURES), np.float32)
    described, patches = [], PatchFeatures(raw)
    for start in range(0, len(raw), DESCRIBED_AT_ONCE):
        yield Progress("describing", start, len(raw))
        described.append(patches.describe(raw[start : start + DESCRIBED_AT_ONCE]))
    return np.concatenate(described)


def _put_together(
    source: Source,
    options: Options,
    raw: Array,
    described: Floats,
    positions: dict[str, layout.Position],
    read: _Read,
    ignored: tuple[tuple[str, str], ...],
    folder: Path,
) -> Added:
    """Group and split what was read, and write its pixels in that order."""
    names = [positions[path].label for path in read.paths]
    layout.check_classes(Counter(names))
    classes = tuple(sorted(set(names), key=_natural))
    labels = np.array([classes.index(name) for name in names])
    digests, hashes = [one.digest for one in read.known], [one.hash for one in read.known]
    alike = similar.alike(digests, hashes, raw, by_looks=not options.is_drawn)
    groups = similar.grouped(alike, _together(read, labels, raw, described, options.is_drawn))
    given = [positions[path].split for path in read.paths]
    groups, splits = split_pictures(groups, read.paths, labels, given, options.test_share, options.seed)
    order = np.lexsort((np.arange(len(names)), splits == "test"))  # those to train on first
    is_grey = options.colour == "grey" or (options.colour == "auto" and all(one.is_grey for one in read.known))
    train = int((splits != "test").sum())
    pixels, mean, std = write_pixels(folder, raw, order, train, is_grey)
    (folder / "previews").rename(folder / previews_name(pixels))
    write_features(folder / features_name(pixels), described[order])
    rows = _rows(read, labels, groups, splits, order)
    version = Version(
        name=options.name,
        number=1,
        title=options.title or options.name.replace("-", " ").capitalize(),
        classes=classes,
        channels=1 if is_grey else 3,
        size=raw.shape[-1],
        fit=options.fit,
        train=train,
        test=len(rows) - train,
        mean=mean,
        std=std,
        digest=digest_of(rows, classes, pixels),
        pixels=pixels,
        is_drawn=options.is_drawn,
        source=source.title[:200],
        change="added",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    same, near, copies = similar.findings(alike, labels.tolist())
    named = [[[read.paths[number] for number in group] for group in groups] for groups in (near, same, copies)]
    return Added(version, rows, Contents(tuple(read.refused), ignored), *named)


def _together(
    read: _Read, labels: npt.NDArray[np.int64], raw: Array, described: Floats, is_drawn: bool
) -> Iterator[Sequence[int]]:
    """Yield the pictures that belong together by names, folders and times, and by looks unless they are drawn."""
    yield from similar.series(read.paths, labels.tolist())
    yield from bursts.members(read.paths)
    yield from similar.bursts(one.taken for one in read.known)
    if not is_drawn:
        yield from scenes(raw, described, labels)


def _rows(
    read: _Read,
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
