"""Files of a tiny MNIST."""

from __future__ import annotations

import gzip
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
