"""Resizing as Pillow 13 does it, bit for bit; which way it goes first was found by experiment."""

from __future__ import annotations

from math import floor

Rows = list[list[int]]  # of one channel, 0…255

PRECISION = 22  # bits after the point of a weight


def resized(rows: Rows, width: int, height: int, is_box: bool = False) -> Rows:
    """Scale by linear interpolation, or by the mean of what lies in a box; tall images first down, others across."""
    is_tall = height < len(rows) and 2 * (len(rows[0]) - width) < len(rows) - height
    if is_tall:
        return _across(_transposed(_across(_transposed(rows), height, is_box)), width, is_box)
    return _transposed(_across(_transposed(_across(rows, width, is_box)), height, is_box))


def _across(rows: Rows, width: int, is_box: bool) -> Rows:
    if width == len(rows[0]):
        return rows
    weights = _weights(len(rows[0]), width, is_box)
    return [_weighed(row, weights) for row in rows]


def _transposed(rows: Rows) -> Rows:
    """Make columns rows."""
    return [list(column) for column in zip(*rows, strict=True)]


def _weighed(numbers: list[int], weights: list[tuple[int, list[int]]]) -> list[int]:
    """Sum numbers by the weights of each result, rounded, within 0…255."""
    half = 1 << (PRECISION - 1)
    sums = (
        half + sum(number * weight for number, weight in zip(numbers[first : first + len(each)], each, strict=True))
        for first, each in weights
    )
    return [min(max(total >> PRECISION, 0), 255) for total in sums]


def _weights(length: int, target: int, is_box: bool) -> list[tuple[int, list[int]]]:
    """Return for each of ``target`` results its first number and the weights from there, as whole numbers."""
    scale = length / target
    spread = max(scale, 1.0)
    support = (0.5 if is_box else 1.0) * spread
    found = []
    for place in range(target):
        middle = (place + 0.5) * scale
        first = max(int(middle - support + 0.5), 0)
        last = min(int(middle + support + 0.5), length)
        raw = [_share((number - middle + 0.5) * (1 / spread), is_box) for number in range(first, last)]
        total = sum(raw)
        found.append((first, [floor(weight / total * (1 << PRECISION) + 0.5) for weight in raw]))
    return found


def _share(distance: float, is_box: bool) -> float:
    if is_box:
        return 1.0 if -0.5 < distance <= 0.5 else 0.0
    return max(1.0 - abs(distance), 0.0)
