"""Rows of numbers in a file, mapped into memory: read from disk ahead of their use, and no burden after it."""

from __future__ import annotations

import mmap
from math import prod
from pathlib import Path

import torch
from torch import Tensor

from cnnlab.networks.layers import Shape

_CAN_ADVISE = hasattr(mmap, "MADV_DONTNEED")  # not on Windows


class MappedRows:
    """Numbers of a file, from its byte ``start``, as a tensor ``rows`` (N, …); a process holds what it looks at.

    Raises OSError where the file is missing, ValueError where it is empty or too short.
    """

    def __init__(self, path: Path, dtype: torch.dtype, shape: Shape, start: int = 0) -> None:
        self._start, self._size = start, prod(shape[1:]) * dtype.itemsize  # bytes; the size is a row's
        with path.open("rb") as file:
            # A private map, as torch warns of memory that cannot be written to; nothing is written.
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        self.rows = torch.frombuffer(self._map, dtype=dtype, count=prod(shape), offset=start).view(shape)

    def foresee(self, numbers: Tensor) -> None:
        """Have the system read the rows of these numbers (B,) into its cache, without waiting for them."""
        if not _CAN_ADVISE:
            return
        for number in numbers.tolist():
            first = self._start + number * self._size
            page = first - first % mmap.PAGESIZE
            self._map.madvise(mmap.MADV_WILLNEED, page, first + self._size - page)

    def forget(self) -> None:
        """Give back the memory of what was looked at; looked at again, it is read again, from the system's cache."""
        if _CAN_ADVISE:
            self._map.madvise(mmap.MADV_DONTNEED)
