"""Sliding windows: where they fit, how many positions they have, and their arithmetic written out."""

from __future__ import annotations

from cnnlab.networks.layers.base import LayerError, Shape, Window, shown


def spatial(shape: Shape, what: str) -> tuple[int, int, int]:
    """Return (channels, height, width). Raises LayerError for flat features."""
    if len(shape) != 3:
        raise LayerError(f"{what} needs feature maps, but {shape[0]} flat features come in: move it before flatten")
    return shape[0], shape[1], shape[2]


def slide(size: int, kernel: int, stride: int, padding: int, dilation: int, ceil_mode: bool = False) -> int:
    """Count a window's positions along one axis: ⌊(size + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1."""
    span = size + 2 * padding - dilation * (kernel - 1) - 1
    positions = (span + (stride - 1 if ceil_mode else 0)) // stride + 1
    # The last window of a ceil-mode pool must start inside the input or its left padding.
    if ceil_mode and (positions - 1) * stride >= size + padding:
        positions -= 1
    return positions


def slide_formula(shape: Shape, out: Shape, window: Window, ceil_mode: bool = False) -> str:
    """Write out ``slide`` with its numbers, once if rows and columns are alike: (28 − 5 + 2·0)/1 + 1 = 24."""
    rows, columns = (_axis_formula(shape[axis + 1], out[axis + 1], *along(window, axis), ceil_mode) for axis in (0, 1))
    return rows if rows == columns else f"rows {rows}; columns {columns}"


def along(window: Window, axis: int) -> tuple[int, int, int, int]:
    """Return kernel, stride, dilation and padding in whole pixels of one axis: 0 for rows, 1 for columns."""
    kernel, stride, dilation, padding = window
    return kernel[axis], int(stride[axis]), dilation[axis], int(padding[axis])


def _axis_formula(size: int, out: int, kernel: int, stride: int, dilation: int, padding: int, ceil_mode: bool) -> str:
    """Round where the stride does not divide evenly; in ceil mode a window that would begin outside is left out."""
    extent = str(kernel) if dilation == 1 or kernel == 1 else f"({dilation}·({kernel} − 1) + 1)"
    quotient = f"({size} − {extent} + 2·{padding})/{stride}"
    whole, remainder = divmod(size + 2 * padding - dilation * (kernel - 1) - 1, stride)
    if not remainder:
        return f"{quotient} + 1 = {out}"
    if not ceil_mode:
        return f"⌊{quotient}⌋ + 1 = {out}"
    return f"⌈{quotient}⌉ + {1 if out == whole + 2 else 0} = {out}"


def misses(size: int, positions: int, kernel: int, stride: int, dilation: int, padding: int) -> bool:
    """Tell whether a window has a position along one axis without any point on the ``size`` pixels.

    There PyTorch's max pool gives −∞ and its backward pass writes out of bounds; so does the forward pass of a
    dilated, strided convolution in channels-last layout on a CPU.
    """
    for position in range(positions):
        begin = position * stride - padding
        first = begin if begin >= 0 else begin % dilation  # its first point that is not before the pixels
        if first >= size or first > begin + dilation * (kernel - 1):
            return True
    return False


def window_text(window: Window) -> str:
    """Format a window's kernel and, where it is not 1, its stride: ``3×3 /2``."""
    kernel, stride, _, _ = window
    if stride == (1, 1):
        return shown(kernel)
    rows, columns = int(stride[0]), int(stride[1])
    return f"{shown(kernel)} /{rows if rows == columns else shown((rows, columns))}"


def no_fit(what: str, kernel: tuple[int, int], height: int, width: int) -> LayerError:
    """Return the error of a window that is larger than its input of ``height`` × ``width``."""
    return LayerError(
        f"{what} {kernel[0]}×{kernel[1]} does not fit its {height}×{width} input: add padding, or drop a pool before it"
    )
