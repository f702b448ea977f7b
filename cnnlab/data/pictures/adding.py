"""Adding pictures: every file of a source is read, refused or ignored, and what is good becomes a version."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePosixPath
from statistics import median
from typing import BinaryIO, Literal

import numpy as np
import numpy.typing as npt

from cnnlab.data.pictures import layout
from cnnlab.data.pictures.assembling import Added, Options, Read, put_together
from cnnlab.data.pictures.decoding import Decoded, Fit, decode
from cnnlab.data.pictures.features import FEATURES, Halves, Images, PatchFeatures
from cnnlab.data.pictures.raw import RawImages
from cnnlab.data.pictures.sources import Source, SourceError, SourceFile
from cnnlab.data.pictures.store import Library
from cnnlab.data.pictures.version import NAME, PictureSetError
from cnnlab.drawings.images import picture_size
from cnnlab.drawings.strokes import DrawingError

Array = npt.NDArray[np.uint8]

USUAL_SIZE = 64  # pixels a side, where pictures are no smaller: enough to tell things apart, and quick to train on
SIZES = (28, 32, 48, USUAL_SIZE)  # to choose from where nobody chose
SAMPLED = 50  # pictures whose size is looked at for that
THREADS = 2  # that decode; decoders release the interpreter
AT_ONCE = 64  # pictures decoded ahead of being written
DESCRIBED_AT_ONCE = 256  # pictures


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


def add(source: Source, options: Options, library: Library) -> Iterator[Progress | Added]:
    """Read all pictures of ``source`` into a new version, telling of progress; the last is what came of it.

    Nothing is changed before all is read: who stops to iterate, or is killed, leaves the library as it was.
    Raises SourceError, LayoutError or PictureSetError where there is nothing to train on, OSError where the disk fails.
    """
    if not re.fullmatch(NAME, options.name):
        raise PictureSetError(f"{options.name[:60]!r} is not a name: use small letters, digits and hyphens, at most 40")
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
        read = Read(refused=refused)
        with (folder / "read").open("w+b") as pixels, (folder / "previews").open("wb") as previews:
            yield from _read_all(source, chosen, replace(options, size=size), pixels, previews, read)
        with RawImages(folder / "read", (len(read.paths), 3, size, size)) as raw:
            described = yield from describe(raw)
            yield Progress("comparing", 0, 1)
            added = put_together(source, options, raw, described, positions, read, tuple(ignored), folder)
        yield Progress("storing", 0, 1)
        settled = library.settle(folder, added.version, added.rows, added.contents)
    lost = {positions[file.path].label for file in chosen} - set(settled.classes)
    yield replace(added, version=settled, lost=tuple(sorted(lost)))


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
    source: Source, files: Sequence[SourceFile], options: Options, pixels: BinaryIO, previews: BinaryIO, read: Read
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


def describe(images: Images) -> Generator[Progress, None, Halves]:
    """Describe all pictures by (N, FEATURES) numbers, telling of progress."""
    described = np.empty((len(images), FEATURES), np.float16)
    if not len(images):
        return described
    patches = PatchFeatures(images)
    for start in range(0, len(images), DESCRIBED_AT_ONCE):
        yield Progress("describing", start, len(images))
        part = slice(start, start + DESCRIBED_AT_ONCE)
        described[part] = patches.describe(images[part])
    return described
