"""Rows of numbers that stay in their file: read when they are asked for, and ahead of it where that is foreseen."""

from __future__ import annotations

import mmap
import os
from math import prod
from pathlib import Path
from weakref import finalize

import torch
from torch import Tensor

from cnnlab.networks.layers import Shape


class MappedRows:
    """Numbers of a file, from its byte ``start``: a mapped tensor ``rows`` (N, …) to look at here and there.

    To read many is several times as fast as to look at them in ``rows``, which costs a page fault for each 4 kB, and
    leaves nothing in the memory of the process. Raises OSError where the file is missing, ValueError where it is empty
    or too short.
    """

    def __init__(self, path: Path, dtype: torch.dtype, shape: Shape, start: int = 0) -> None:
        self._name, self._file = path.name, os.open(path, os.O_RDONLY)
        finalize(self, os.close, self._file)
        self._start, self._size = start, prod(shape[1:]) * dtype.itemsize  # bytes; the size is a row's
        # A private map, as torch warns of memory that cannot be written to; nothing is written.
        mapped = mmap.mmap(self._file, 0, access=mmap.ACCESS_COPY)
        self.rows = torch.frombuffer(mapped, dtype=dtype, count=prod(shape), offset=start).view(shape)

    def read(self, numbers: Tensor) -> Tensor:
        """Read the rows of these numbers (B,): (B, …). Raises OSError where the file has become shorter."""
        found = torch.empty(len(numbers), *self.rows.shape[1:], dtype=self.rows.dtype)
        places = found.view(torch.uint8).view(len(numbers), -1).numpy() if len(numbers) else ()
        for place, number in zip(places, numbers.tolist(), strict=True):
            if os.preadv(self._file, [place.data], self._start + number * self._size) < self._size:
                raise OSError(f"{self._name} ends within row {number:,}")
        return found

    def foresee(self, numbers: Tensor) -> None:
        """Have the system read the rows of these numbers (B,) into its cache, without waiting for them."""
        if hasattr(os, "posix_fadvise"):  # not on macOS
            for number in numbers.tolist():
                first = self._start + number * self._size
                os.posix_fadvise(self._file, first, self._size, os.POSIX_FADV_WILLNEED)
