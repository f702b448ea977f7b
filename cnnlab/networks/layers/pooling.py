"""Pools."""

from __future__ import annotations

from math import ceil
from typing import ClassVar, Literal

from cnnlab.networks.layers.base import BaseLayer, Border, Call, LayerError, Shape, Size, Window, pair, shown
from cnnlab.networks.layers.windows import along, misses, no_fit, slide, slide_formula, spatial, window_text


class _Pool(BaseLayer):
    family = "pool"
    _stem = "pool"
    _module: ClassVar[str]

    kernel_size: Size | tuple[Size, Size] = 2
    stride: Size | tuple[Size, Size] | None = None  # as in PyTorch, None means the kernel's size
    padding: Border | tuple[Border, Border] = 0
    ceil_mode: bool = False

    @property
    def window_label(self) -> str:
        return window_text(self.windows((1, 1, 1))[0])

    def _dilation(self) -> tuple[int, int]:
        return (1, 1)

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        channels, height, width = spatial(shape, "a pool")
        kernel, padding = pair(self.kernel_size), pair(self.padding)
        if padding[0] > kernel[0] // 2 or padding[1] > kernel[1] // 2:
            raise LayerError(f"a pool can be padded by at most half its {kernel[0]}×{kernel[1]} window")
        stride, dilation = kernel if self.stride is None else pair(self.stride), self._dilation()
        rows = slide(height, kernel[0], stride[0], padding[0], dilation[0], self.ceil_mode)
        columns = slide(width, kernel[1], stride[1], padding[1], dilation[1], self.ceil_mode)
        if rows < 1 or columns < 1:
            raise no_fit("pool", kernel, height, width)
        for axis, (size, positions) in enumerate(((height, rows), (width, columns))):
            if misses(size, positions, *along(self.windows(shape)[0], axis)):
                raise LayerError(
                    f"at some positions its window lies wholly in the padding around the {height}×{width} maps, where "
                    "there is nothing to pool: lower the dilation or the padding"
                )
        return channels, rows, columns

    def call(self, shape: Shape, classes: int) -> Call:
        return Call(self._module, (), {"kernel_size": self.kernel_size, **self._chosen()})

    def windows(self, shape: Shape) -> list[Window]:
        kernel = pair(self.kernel_size)
        stride = kernel if self.stride is None else pair(self.stride)
        return [(kernel, stride, self._dilation(), pair(self.padding))]

    def shape_formula(self, shape: Shape, classes: int) -> str:
        return slide_formula(shape, self.output_shape(shape, classes), self.windows(shape)[0], self.ceil_mode)


class MaxPool2d(_Pool):
    """Describe ``nn.MaxPool2d``."""

    examples = {"Max pool": {}}
    _module = "MaxPool2d"

    kind: Literal["max-pool2d"] = "max-pool2d"
    dilation: Size | tuple[Size, Size] = 1

    def _dilation(self) -> tuple[int, int]:
        return pair(self.dilation)


class AvgPool2d(_Pool):
    """Describe ``nn.AvgPool2d``."""

    examples = {"Average pool": {}}
    linearity = "passive"
    _module = "AvgPool2d"

    kind: Literal["avg-pool2d"] = "avg-pool2d"
    count_include_pad: bool = True


class AdaptivePool2d(BaseLayer):
    """Pool to a fixed size whatever the input's; size 1 with ``avg`` is global average pooling."""

    examples = {"Global or adaptive pool": {}}
    family = "pool"
    linearity = "passive"
    has_fixed_output_size = True
    _stem = "pool"

    kind: Literal["adaptive-pool2d"] = "adaptive-pool2d"
    pool: Literal["avg", "max"] = "avg"
    output_size: Size | tuple[Size, Size] = 1

    @property
    def window_label(self) -> str:
        return f"to {shown(pair(self.output_size))}"

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        return spatial(shape, "a pool")[0], *pair(self.output_size)

    def call(self, shape: Shape, classes: int) -> Call:
        return Call({"avg": "AdaptiveAvgPool2d", "max": "AdaptiveMaxPool2d"}[self.pool], (self.output_size,))

    def windows(self, shape: Shape) -> list[Window]:
        rows, columns = pair(self.output_size)
        kernel = (ceil(shape[1] / rows), ceil(shape[2] / columns))
        stride = (max(1, shape[1] // rows), max(1, shape[2] // columns))
        return [(kernel, stride, (1, 1), (0, 0))]

    def shape_formula(self, shape: Shape, classes: int) -> str:
        return f"{shown(shape[1:])} → {shown(pair(self.output_size))}, for any input size"
