"""Convolutions."""

from __future__ import annotations

from math import ceil, prod
from typing import Literal

from cnnlab.networks.layers.base import (
    BaseLayer,
    Border,
    Call,
    Channels,
    Initialisation,
    LayerError,
    Padding,
    Shape,
    Size,
    Spread,
    Window,
    initialiser,
    pair,
    shown,
)
from cnnlab.networks.layers.windows import along, misses, no_fit, slide, slide_formula, spatial, window_text


class Conv2d(BaseLayer):
    """Describe ``nn.Conv2d`` with every argument but the inferred ``in_channels``."""

    examples = {"Convolution": {"out_channels": 16, "padding": 1}}
    family = "convolution"
    linearity = "weighted"
    passes_variance_shift = True
    _stem = "conv"

    kind: Literal["conv2d"] = "conv2d"
    out_channels: Channels
    kernel_size: Size | tuple[Size, Size] = 3
    stride: Size | tuple[Size, Size] = 1
    padding: Border | tuple[Border, Border] | Padding = 0
    dilation: Size | tuple[Size, Size] = 1
    groups: Channels = 1
    bias: bool = True
    padding_mode: Literal["zeros", "reflect", "replicate", "circular"] = "zeros"
    init: Initialisation = "default"
    spread: Spread = 0.05

    @property
    def window_label(self) -> str:
        return window_text(self.windows((1, 1, 1))[0])

    @property
    def has_bias(self) -> bool:
        return self.bias

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        channels, height, width = spatial(shape, "a convolution")
        if channels % self.groups or self.out_channels % self.groups:
            raise LayerError(
                f"{self.groups} groups must divide both the {channels} channels in and the {self.out_channels} out"
            )
        kernel, stride, dilation = pair(self.kernel_size), pair(self.stride), pair(self.dilation)
        padding = self._border()
        spare = {"reflect": 1, "circular": 0}.get(self.padding_mode)
        if spare is not None and (padding[0] + spare > height or padding[1] + spare > width):
            raise LayerError(f"{self.padding_mode} padding {padding} is too wide for a {height}×{width} input")
        if self.padding == "same":
            if stride != (1, 1):
                raise LayerError("padding 'same' works only with stride 1")
            return self.out_channels, height, width
        if self.padding == "same-upper":
            if self.padding_mode != "zeros":
                raise LayerError("padding 'same-upper' works only with zeros")
            return self.out_channels, ceil(height / stride[0]), ceil(width / stride[1])
        rows = slide(height, kernel[0], stride[0], padding[0], dilation[0])
        columns = slide(width, kernel[1], stride[1], padding[1], dilation[1])
        if rows < 1 or columns < 1:
            raise no_fit("kernel", kernel, height, width)
        self._check_dilation(shape, (rows, columns))
        return self.out_channels, rows, columns

    def _check_dilation(self, shape: Shape, positions: tuple[int, int]) -> None:
        """Raise LayerError if a dilated, strided window can miss every pixel, where PyTorch may crash the process."""
        window = self.windows(shape)[0]
        stride, dilation = pair(self.stride), pair(self.dilation)
        # With the other padding modes PyTorch pads before the convolution.
        axes = [axis for axis in (0, 1) if self.padding_mode == "zeros" and min(stride[axis], dilation[axis]) > 1]
        if any(misses(shape[axis + 1], positions[axis], *along(window, axis)) for axis in axes):
            raise LayerError(
                f"at some positions its dilated window lies wholly in the padding around the {shown(shape[1:])} maps: "
                "lower the dilation, the stride or the padding"
            )

    def _border(self) -> tuple[int, int]:
        """Return the padding in rows and columns; the wider side's where 'same' pads two sides unequally."""
        if self.padding == "same":
            kernel, dilation = pair(self.kernel_size), pair(self.dilation)
            return ceil(dilation[0] * (kernel[0] - 1) / 2), ceil(dilation[1] * (kernel[1] - 1) / 2)
        return (0, 0) if isinstance(self.padding, str) else pair(self.padding)

    def _weights(self, shape: Shape) -> int:
        return self.out_channels * (shape[0] // self.groups) * prod(pair(self.kernel_size))

    def parameters(self, shape: Shape, classes: int) -> int:
        return self._weights(shape) + self.out_channels * self.bias

    def macs(self, shape: Shape, classes: int) -> int:
        _, rows, columns = self.output_shape(shape, classes)
        return self._weights(shape) * rows * columns

    def windows(self, shape: Shape) -> list[Window]:
        kernel, dilation, padding = pair(self.kernel_size), pair(self.dilation), self._border()
        if self.padding == "same":  # where the two sides differ, PyTorch pads the first one less
            padding = (dilation[0] * (kernel[0] - 1) // 2, dilation[1] * (kernel[1] - 1) // 2)
        if self.padding == "same-upper":
            left, _, top, _ = self._sides(shape)
            padding = (top, left)
        return [(kernel, pair(self.stride), dilation, padding)]

    def _sides(self, shape: Shape) -> tuple[int, int, int, int]:
        """Return the padding of 'same-upper' in pixels, as TensorFlow pads: left, right, top, bottom.

        It depends on the input's size, and its right and lower sides have an odd pixel more.
        """
        sides = []
        for axis in (1, 0):
            size = shape[axis + 1]
            kernel, stride, dilation = (pair(each)[axis] for each in (self.kernel_size, self.stride, self.dilation))
            total = max(0, (ceil(size / stride) - 1) * stride + dilation * (kernel - 1) + 1 - size)
            sides += [total // 2, total - total // 2]
        left, right, top, bottom = sides
        return left, right, top, bottom

    def call(self, shape: Shape, classes: int) -> Call:
        chosen = {"kernel_size": self.kernel_size, **self._chosen("out_channels")}
        channels = (shape[0], self.out_channels)
        if self.padding != "same-upper":
            return Call("Conv2d", channels, chosen)
        left, right, top, bottom = self._sides(shape)
        if (left, top) != (right, bottom):
            del chosen["padding"]
            return Call("PaddedConv2d", channels, chosen | {"sides": (left, right, top, bottom)})
        return Call("Conv2d", channels, chosen | {"padding": top if top == left else (top, left)})

    def initial_weights(self) -> Call | None:
        return initialiser(self.init, self.spread)

    def shape_formula(self, shape: Shape, classes: int) -> str:
        if self.padding == "same":
            return f"padding 'same' keeps {shown(shape[1:])}"
        if self.padding == "same-upper":
            stride = shown(pair(self.stride))
            return f"⌈{shown(shape[1:])} / {stride}⌉ = {shown(self.output_shape(shape, classes)[1:])}"
        return slide_formula(shape, self.output_shape(shape, classes), self.windows(shape)[0])

    def parameter_formula(self, shape: Shape, classes: int) -> str:
        per_group = f"({shape[0]}/{self.groups})" if self.groups > 1 else str(shape[0])
        rows, columns = pair(self.kernel_size)
        bias = f" + {self.out_channels}" if self.bias else ""
        return f"{self.out_channels}·{per_group}·{rows}·{columns}{bias} = {self.parameters(shape, classes):,}"
