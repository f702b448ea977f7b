"""Receptive fields: the pixels of the image that one output sees."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from cnnlab.networks.layers import Shape, Window


@dataclass(frozen=True)
class ReceptiveField:
    """Hold the pixels of the image that one output sees. Each pair is (rows, columns).

    They are fractions of pixels where the image is resized before it is looked at.
    """

    size: tuple[float, float] = (1, 1)
    stride: tuple[float, float] = (1, 1)  # pixels between the fields of neighbouring outputs
    start: tuple[float, float] = (0, 0)  # first pixel of the first output's field; below 0 in the padding

    def through(self, windows: list[Window] | None, input_shape: Shape) -> ReceptiveField:
        """Return the field of the outputs of a layer with ``windows``; the whole image if they are None."""
        if windows is None:
            return ReceptiveField(size=(input_shape[1], input_shape[2]), stride=(0, 0))
        field = self
        for window in windows:
            rows, columns = (_along_axis(field, axis, *(part[axis] for part in window)) for axis in (0, 1))
            size, stride, start = zip(rows, columns, strict=True)
            field = ReceptiveField(size=size, stride=stride, start=start)
        return field

    def box(self, row: int, column: int) -> tuple[int, int, int, int]:
        """Return (top, left, bottom, right) in pixels for the output at ``row``, ``column``; it may leave the image.

        It has the same size for every output, and holds all pixels whose middles lie within the field.
        """
        top, left = (ceil(self.start[axis] + at * self.stride[axis] - 0.5) for axis, at in enumerate((row, column)))
        height, width = self.whole_size
        return top, left, top + height, left + width

    @property
    def whole_size(self) -> tuple[int, int]:
        """The height and width in whole pixels."""
        return ceil(self.size[0]), ceil(self.size[1])


def _along_axis(
    field: ReceptiveField, axis: int, kernel: float, stride: float, dilation: float, padding: float
) -> tuple[float, float, float]:
    """Return size, stride and start along one axis (Araujo et al. 2019, doi:10.23915/distill.00021)."""
    jump = field.stride[axis]
    return field.size[axis] + (kernel - 1) * dilation * jump, jump * stride, field.start[axis] - padding * jump
