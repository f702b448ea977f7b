"""Pooling on a small grid: which numbers contribute to each output, and the result."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from cnnlab.learn.guesses import Ask
from cnnlab.networks.build import layer_module
from cnnlab.networks.layers import AdaptivePool2d, AvgPool2d, MaxPool2d, pair
from cnnlab.networks.layers.windows import along

Pool = MaxPool2d | AvgPool2d | AdaptivePool2d
Cell = tuple[int, int]  # row, column; outside the grid where it lies in the padding


@dataclass(frozen=True)
class Window:
    """The window of a pool for one output."""

    cells: tuple[Cell, ...]  # row by row, padding included
    inside: tuple[Cell, ...]  # only those inside the grid
    takes_largest: bool
    divisor: int  # of an average pool

    def answer(self, grid: Tensor) -> float:
        """Compute its output for ``grid`` (H, W) without PyTorch's module."""
        numbers = [grid[cell].item() for cell in self.inside]
        return max(numbers) if self.takes_largest else sum(numbers) / self.divisor

    def largest(self, grid: Tensor) -> Cell:
        """Find the first cell of the grid with the window's largest number."""
        return max(self.inside, key=lambda cell: grid[cell].item())


def pooled(pool: Pool, grid: Tensor) -> Tensor:
    """Run PyTorch's module on ``grid`` (H, W). Raises LayerError where the window does not fit."""
    shape = (1, *grid.shape)
    pool.output_shape(shape, 1)
    out: Tensor = layer_module(pool, shape, 1)(grid[None])
    return out[0]


def window(pool: Pool, size: tuple[int, int], place: Cell) -> Window:
    """Find the window of the output at ``place``, over a grid of ``size`` = (H, W)."""
    rows, columns = (_reach(pool, size[axis], place[axis], axis) for axis in (0, 1))
    cells = tuple((row, column) for row in rows for column in columns)
    inside = tuple(cell for cell in cells if all(0 <= at < end for at, end in zip(cell, size, strict=True)))
    takes_largest = pool.kind == "max-pool2d" or (pool.kind == "adaptive-pool2d" and pool.pool == "max")
    counts_padding = pool.kind == "avg-pool2d" and pool.count_include_pad
    return Window(cells, inside, takes_largest, len(cells if counts_padding else inside))


def border(pool: Pool) -> tuple[int, int]:
    """Return the rows and columns of padding on each side."""
    return (0, 0) if pool.kind == "adaptive-pool2d" else pair(pool.padding)


def _reach(pool: Pool, size: int, place: int, axis: int) -> range:
    """Compute the range of one axis; in ceil mode the last window may be cut off at the end of the padding."""
    if pool.kind == "adaptive-pool2d":
        parts = pair(pool.output_size)[axis]
        return range(place * size // parts, -(-(place + 1) * size // parts))
    (window,) = pool.windows((1, size, size))
    kernel, stride, dilation, padding = along(window, axis)
    begin = place * stride - padding
    return range(begin, min(begin + dilation * (kernel - 1) + 1, size + padding), dilation)


def to_guess(pool: Pool) -> Ask:
    """Ask for the number that comes out of a window; once for each kind of pool."""
    return Ask(f"pooling {pool.kind}", "Which number comes out of the outlined window?", amount="Output", unit="")
