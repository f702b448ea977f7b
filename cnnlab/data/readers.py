"""Readers of data sets' files: LeCun's IDX, and what torchvision downloads, as arrays of training and test images."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from cnnlab.data.pictures.decoding import fitted
from cnnlab.data.splits import stratified

Array = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.integer[Any]]
Arrays = tuple[Array, Labels, Array, Labels]  # train images (N, C, H, W), labels (N,), test images, labels
Reader = Callable[[Path], Arrays]  # from the folder of data sets

SAMPLE = Path(__file__).parent / "samples" / "mnist-5000.npz"
SAMPLE_TEST_SEED = 5000  # fixes which images are the test of a set that has none, whatever a run's seed
TEST_SHARE = 0.15  # of photos that come without a test


def read_sample(folder: Path) -> Arrays:
    """Read the embedded sample."""
    with SAMPLE.open("rb") as opened, np.load(opened, allow_pickle=False) as file:  # which it leaves open if damaged
        images, labels = file["images"][:, None], file["labels"]  # (5000, 1, 28, 28)
    test = stratified(torch.from_numpy(labels), 0.1, SAMPLE_TEST_SEED).numpy()
    return images[~test], labels[~test], images[test], labels[test]


def idx_files(folder: str, prefixes: tuple[str, str]) -> tuple[str, ...]:
    """List the four files of a data set in IDX."""
    return tuple(f"{folder}/raw/{p}-{what}" for p in prefixes for what in ("images-idx3-ubyte", "labels-idx1-ubyte"))


MNIST_FILES = ("train", "t10k")
LETTER_FILES = ("emnist-letters-train", "emnist-letters-test")


def read_idx(path: Path) -> Array:
    """Read an IDX file of unsigned bytes (LeCun's format), or its gzipped copy, into an array.

    Raises ValueError where the file does not match its header.
    """
    raw = path.read_bytes() if path.exists() else gzip.decompress(path.with_name(f"{path.name}.gz").read_bytes())
    # Header: two zero bytes, 0x08 for unsigned bytes, the number of axes, then each length, big-endian.
    if len(raw) < 4 or raw[:3] != b"\x00\x00\x08":
        raise ValueError(f"{path.name} is no IDX file of bytes")
    axes = raw[3]
    start = 4 + 4 * axes
    shape = tuple(np.frombuffer(raw[4:start], ">i4").tolist())
    return np.frombuffer(raw, np.uint8, offset=start).reshape(shape)


def read_idx_set(files: tuple[str, ...]) -> Reader:
    """Return a reader of the four files."""

    def read(folder: Path) -> Arrays:
        images, labels, test_images, test_labels = (read_idx(folder / file) for file in files)
        return images[:, None], labels, test_images[:, None], test_labels  # (N, 28, 28) → (N, 1, 28, 28)

    return read


def read_letters(folder: Path) -> Arrays:
    """Read EMNIST letters."""
    images, labels, test_images, test_labels = read_idx_set(idx_files("EMNIST", LETTER_FILES))(folder)
    # EMNIST is stored with rows and columns swapped, and its letters count from 1.
    return images.swapaxes(2, 3), labels - 1, test_images.swapaxes(2, 3), test_labels - 1


def _torchvision() -> Any:
    """Import torchvision's data sets late: it takes a second that the embedded sample never needs."""
    from cnnlab.data.torchvision_compat import datasets  # noqa: PLC0415

    return datasets


def read_cifar(torchvision_class: str) -> Reader:
    """Return a reader of CIFAR-10 or CIFAR-100."""

    def read(folder: Path) -> Arrays:
        train, test = (getattr(_torchvision(), torchvision_class)(str(folder), train=train) for train in (True, False))
        return (
            train.data.transpose(0, 3, 1, 2),  # (N, 32, 32, 3) → (N, 3, 32, 32)
            np.array(train.targets),
            test.data.transpose(0, 3, 1, 2),
            np.array(test.targets),
        )

    return read


def read_stl10(folder: Path) -> Arrays:
    """Read STL-10, without its unlabelled images."""
    train, test = (_torchvision().STL10(str(folder), split=split) for split in ("train", "test"))
    return train.data, train.labels.astype(np.int64), test.data, test.labels.astype(np.int64)


def read_photos(torchvision_class: str, classes: tuple[str, ...], size: int, *splits: tuple[str, ...]) -> Reader:
    """Return a reader of photos of any size, cut to their middle square and scaled to ``size`` pixels.

    ``splits`` are torchvision's for training and for test; without them a share of every class is the test.
    """

    def read(folder: Path) -> Arrays:
        make = getattr(_torchvision(), torchvision_class)
        parts = [_photos([make(str(folder), split=name) for name in names], classes, size) for names in splits]
        if not parts:
            images, labels = _photos([make(str(folder))], classes, size)
            test = stratified(torch.from_numpy(labels), TEST_SHARE, SAMPLE_TEST_SEED).numpy()
            parts = [(images[~test], labels[~test]), (images[test], labels[test])]
        (images, labels), (test_images, test_labels) = parts
        return images, labels, test_images, test_labels

    return read


def _photos(sources: Sequence[Any], classes: tuple[str, ...], size: int) -> tuple[Array, npt.NDArray[np.int64]]:
    """Read all photos of torchvision's data sets: (N, 3, size, size) and labels (N,). Raises ValueError."""
    for source in sources:
        if tuple(source.classes) != classes:
            raise ValueError("its classes are others")
    labels = np.array([label for source in sources for _, label in source], np.int64)
    images = np.empty((len(labels), 3, size, size), np.uint8)
    for place, (photo, _) in zip(images, chain(*sources), strict=True):
        place[:] = np.asarray(fitted(photo.convert("RGB"), size, "crop")).transpose(2, 0, 1)
    return images, labels


def read_svhn(folder: Path) -> Arrays:
    """Read SVHN."""
    datasets = _torchvision()
    train, test = (datasets.SVHN(str(folder), split=split) for split in ("train", "test"))
    return train.data, train.labels, test.data, test.labels


def read_usps(folder: Path) -> Arrays:
    """Read USPS."""
    datasets = _torchvision()
    train, test = (datasets.USPS(str(folder), train=train) for train in (True, False))
    return train.data[:, None], np.array(train.targets), test.data[:, None], np.array(test.targets)


def fetcher(torchvision_class: str, *variants: dict[str, object]) -> Callable[[Path], None]:
    """Return a function that downloads through torchvision, with checksums; each variant is a constructor call."""

    def fetch(folder: Path) -> None:
        datasets = _torchvision()
        for variant in variants:
            getattr(datasets, torchvision_class)(str(folder), download=True, **variant)

    return fetch
