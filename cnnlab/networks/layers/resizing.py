"""Resizing."""

from __future__ import annotations

from math import ceil
from typing import Annotated, Literal

from pydantic import Field

from cnnlab.networks.layers.base import BaseLayer, Call, Shape, Window, shown
from cnnlab.networks.layers.windows import spatial


class Resize(BaseLayer):
    """Enlarge or shrink images to a square of ``size`` pixels by linear interpolation, smoothed where they shrink.

    A network that was trained on large photos then takes the images of any data set as they are.
    """

    examples = {"Resize": {"size": 32}}
    linearity = "passive"

    kind: Literal["resize"] = "resize"
    size: Annotated[int, Field(ge=1, le=512)]  # pixels

    @property
    def window_label(self) -> str:
        return f"to {shown((self.size, self.size))}"

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        return spatial(shape, "resizing")[0], self.size, self.size

    def call(self, shape: Shape, classes: int) -> Call:
        return Call("Resize", (), {"size": (self.size, self.size)})

    def windows(self, shape: Shape) -> list[Window]:
        """Return the pixels that a new one is a mean of: 2 along an axis that grows, twice the factor along others."""
        if shape[1:] == (self.size, self.size):
            return []
        factors = [side / self.size for side in shape[1:]]
        rows, columns = (ceil(2 * max(1.0, factor)) for factor in factors)
        # The first new pixel's middle lies at half a new pixel, in the midst of its window.
        top, left = ((kernel - factor) / 2 for kernel, factor in zip((rows, columns), factors, strict=True))
        return [((rows, columns), (factors[0], factors[1]), (1, 1), (top, left))]

    def shape_formula(self, shape: Shape, classes: int) -> str:
        return f"{shown(shape[1:])} → {shown((self.size, self.size))}, for any input size"
