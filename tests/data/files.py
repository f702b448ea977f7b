"""Files of a tiny MNIST."""

from __future__ import annotations

import gzip
from math import prod
from pathlib import Path

import numpy as np

RNG = np.random.default_rng(0)


def idx(array: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes() + array.tobytes()


def digits(count: int) -> tuple[bytes, bytes]:
    """A tiny image file and its labels, every class in turn."""
    images = RNG.integers(0, 256, (count, 28, 28), np.uint8)
    return idx(images), idx((np.arange(count) % 10).astype(np.uint8))


def write_mnist(folder: Path, compressed: bool, train: int = 40, test: int = 20) -> None:
    folder.mkdir(parents=True)
    for prefix, count in (("train", train), ("t10k", test)):
        for name, content in zip(("images-idx3", "labels-idx1"), digits(count), strict=True):
            path = folder / f"{prefix}-{name}-ubyte{'.gz' if compressed else ''}"
            path.write_bytes(gzip.compress(content) if compressed else content)


def first(count: int, packed: Path) -> bytes:
    """The first images or labels of a gzipped file, as a file of their own."""
    with gzip.open(packed) as file:
        *_, axes = file.read(4)
        _, *size = np.frombuffer(file.read(4 * axes), ">i4").tolist()
        content = np.frombuffer(file.read(count * prod(size)), np.uint8)
    return idx(content.reshape(count, *size))
