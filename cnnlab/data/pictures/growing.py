"""A class more: pictures that join those of a version, as the next version, whose pixels begin with the old ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from shutil import copyfile

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from cnnlab.data.pictures.adding import Progress, describe
from cnnlab.data.pictures.decoding import perceptual_hash
from cnnlab.data.pictures.features import Images, Pixels
from cnnlab.data.pictures.layout import check_classes
from cnnlab.data.pictures.sources import MAX_FILES
from cnnlab.data.pictures.store import Library, features_name, previews_name
from cnnlab.data.pictures.version import PictureSetError, Row, Version, digest_of, digest_of_bytes, map_pixels, now
from cnnlab.data.pictures.writing import blocks, write_features, write_pixels
from cnnlab.data.splits import held_out_groups


@dataclass(frozen=True)
class Newcomers:
    """Pictures of a class that a version gets."""

    images: Images  # (N, C, S, S) uint8, of the version's shape
    paths: Sequence[str]
    groups: npt.NDArray[np.int64]  # (N,) of pictures that belong on one side of a split
    width: int  # of the originals
    height: int


def grow(
    library: Library, version: Version, name: str, newcomers: Newcomers, seed: int = 0
) -> Generator[Progress | Version]:
    """Add a class of pictures to a version, telling of progress; the last is the new version.

    As many of them are test pictures as of the version's own. Nothing is changed before all is written: who stops to
    iterate, or is killed, leaves the library as it was.
    Raises PictureSetError where there is such a class or pictures are too many, LayoutError where they are too few.
    """
    known = library.rows(version)
    old: Pixels = library.pixels(version).numpy()
    _check(version, known, name, len(old), newcomers)
    is_test = _test_pictures(newcomers, version.test / len(known), seed)
    with library.aside() as folder:
        yield Progress("storing", 0, 1)
        copyfile(library.folder / version.name / previews_name(version.pixels), folder / "previews")
        is_train = np.zeros(len(old) + len(is_test), np.bool_)
        is_train[[row.row for row in known if row.split == "train"]] = True
        is_train[len(old) :] = ~is_test
        images = chain(blocks(old), blocks(newcomers.images))
        pixels, mean, std = write_pixels(folder, images, version.shape, is_train)
        (folder / "previews").rename(folder / previews_name(pixels))
        new = yield from _described(folder / pixels, version, newcomers, is_test, 1 + max(row.group for row in known))
        rows = (*known, *new)
        grown = _grown(version, name, rows, pixels).model_copy(update={"mean": mean, "std": std})
        settled = library.settle(folder, grown, rows, library.contents(version))
    yield settled


def _check(version: Version, known: Sequence[Row], name: str, pixels: int, newcomers: Newcomers) -> None:
    """Raise PictureSetError or LayoutError where the pictures cannot become a class."""
    if name.casefold() in map(str.casefold, version.classes):
        raise PictureSetError(f"{version} has a class {name!r} already")
    total = pixels + len(newcomers.paths)
    if total > MAX_FILES:
        raise PictureSetError(f"this makes {total:,} pictures; at most {MAX_FILES:,} are possible")
    counts = Counter(version.classes[row.label] for row in known)
    check_classes(counts + Counter({name: len(newcomers.paths)}))


def _test_pictures(newcomers: Newcomers, share: float, seed: int) -> npt.NDArray[np.bool_]:
    labels = torch.zeros(len(newcomers.paths), dtype=torch.long)
    chosen: npt.NDArray[np.bool_] = held_out_groups(labels, torch.from_numpy(newcomers.groups), share, seed).numpy()
    return chosen


def _described(
    path: Path, version: Version, newcomers: Newcomers, is_test: npt.NDArray[np.bool_], first_group: int
) -> Generator[Progress, None, list[Row]]:
    """Describe all pixels of a file anew, as what describes them is learned from all; return the rows of the new."""
    pixels: Pixels = map_pixels(path, version.shape).rows.numpy()
    write_features(path.with_name(features_name(path.name)), (yield from describe(pixels)))
    start = len(pixels) - len(is_test)
    return [
        Row(
            path=newcomers.paths[number],
            label=len(version.classes),
            split="test" if is_test[number] else "train",
            row=start + number,
            group=first_group + int(newcomers.groups[number]),
            width=newcomers.width,
            height=newcomers.height,
            digest=digest_of_bytes(image.tobytes()),
            hash=_hash(image),
            preview=0,
            preview_bytes=0,
            note="",
        )
        for number, image in enumerate(pixels[start:])
    ]


def _hash(image: Pixels) -> int:
    """Hash what an image (C, S, S) looks like."""
    return perceptual_hash(Image.fromarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0)))


def _grown(version: Version, name: str, rows: Sequence[Row], pixels: str) -> Version:
    """Describe the version with one more class, all but its mean and deviation."""
    train = sum(row.split == "train" for row in rows)
    classes = (*version.classes, name)
    count = len(rows) - version.train - version.test
    return version.model_copy(
        update={
            "classes": classes,
            "train": train,
            "test": len(rows) - train,
            "digest": digest_of(rows, classes, pixels),
            "pixels": pixels,
            "extends": (*version.extends, version.pixels),
            "change": f"{count} of {name} added, from version {version.number}",
            "created": now(),
        }
    )
