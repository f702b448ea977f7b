"""Images in a file without a header, read where they are looked at: mapped, all would count as memory in use."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from cnnlab.data.pictures.features import Integers, Pixels


class RawImages:
    """Images (N, C, H, W) uint8 that lie one after another in a file; to be used in a ``with``."""

    def __init__(self, path: Path, shape: tuple[int, int, int, int]) -> None:
        self.shape = shape
        self._bytes = int(np.prod(shape[1:]))  # of an image
        self._file = path.open("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, at: int | slice | Integers) -> Pixels:
        """Read the image or the images at an index, a slice or several indices."""
        rows: npt.NDArray[np.int64] = np.arange(len(self))[at]
        images = np.empty((rows.size, *self.shape[1:]), np.uint8)
        for image, row in zip(images, rows.ravel().tolist(), strict=True):
            os.preadv(self._file.fileno(), [image.data], row * self._bytes)
        return images if rows.ndim else images[0]
