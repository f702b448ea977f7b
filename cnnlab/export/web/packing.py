"""Tensors as bytes for a page: 32 or 16 bits a number, or 8 with a scale for each row; compressed, in base64."""

from __future__ import annotations

import zlib
from base64 import b64encode
from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor

Numbers = Literal["float32", "float16", "int8", "uint8"]
LEVELS = 127  # of 8 bits, on either side of zero
Form = tuple[Numbers, int, int]
"""How a tensor lies in the bytes: its numbers, how many rows it has and how many numbers a row."""


def packed(tensor: Tensor, numbers: Numbers, levels: int = LEVELS) -> tuple[Form, bytes]:
    """Pack a tensor, rows along its first axis. The bytes of numbers are sorted by their weight: that compresses.

    ``int8`` begins with the scale of each row as float32: numbers are scale · −levels…levels, and fewer levels compress
    to fewer bits.
    """
    rows = tensor.reshape(tensor.shape[0], -1).cpu()  # (rows, columns)
    form = (numbers, rows.shape[0], rows.shape[1])
    if numbers == "uint8":
        return form, rows.to(torch.uint8).numpy().tobytes()
    if numbers == "int8":
        scales = _scales(rows, levels)
        return form, scales.numpy().astype("<f4").tobytes() + _steps(rows, scales).numpy().tobytes()
    flat = rows.numpy().astype("<f4" if numbers == "float32" else "<f2")
    width = flat.dtype.itemsize
    return form, flat.view(np.uint8).reshape(-1, width).T.tobytes()


def rounded(tensor: Tensor, numbers: Numbers, levels: int = LEVELS) -> Tensor:
    """Return the tensor as a page reads it: what ``packed`` leaves of it."""
    if numbers == "float16":
        return tensor.half().float()
    if numbers == "int8":
        rows = tensor.reshape(tensor.shape[0], -1)
        scales = _scales(rows, levels)
        return (_steps(rows, scales).float() * scales[:, None]).reshape(tensor.shape)
    return tensor


def _scales(rows: Tensor, levels: int) -> Tensor:
    """Return each row's scale (rows,); 1 for a row of zeros."""
    largest = rows.abs().amax(1)
    return torch.where(largest > 0, largest / levels, torch.ones_like(largest)).float()


def _steps(rows: Tensor, scales: Tensor) -> Tensor:
    return (rows / scales[:, None]).round().to(torch.int8)


def base64_of(parts: Sequence[bytes]) -> str:
    """Compress parts in one stream (zlib), as base64."""
    return b64encode(zlib.compress(b"".join(parts), 9)).decode("ascii")


def fits_half(tensor: Tensor) -> bool:
    """Tell whether 16 bits hold the tensor: its largest number is no infinity there."""
    return bool(tensor.abs().max() <= torch.finfo(torch.float16).max)
