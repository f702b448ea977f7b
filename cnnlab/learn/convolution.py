"""Convolution step by step: padded input, products at each position of the window, sums, output."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnlab.networks.build import layer_module, seeded
from cnnlab.networks.layers import Conv2d, Shape
from cnnlab.networks.layers.base import pair

Pair = tuple[int, int]  # rows, columns

_PAD_MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "replicate", "circular": "circular"}


@dataclass(frozen=True)
class Worked:
    """Every intermediate result of one output channel; K = in_channels / groups is its number of input channels."""

    first: int  # index of the first of these input channels
    padded: Tensor  # (K, H + top + bottom, W + left + right)
    borders: tuple[int, int, int, int]  # left, right, top, bottom, in pixels, as F.pad takes them
    origin: Tensor  # (padded height, padded width) int64: row · W + column of the source pixel, −1 for none
    weight: Tensor  # (K, kernel height, kernel width)
    bias: float | None
    stride: Pair
    dilation: Pair
    sums: Tensor  # (K, rows, columns): sum of the products on each input channel
    output: Tensor  # (rows, columns): the result of F.conv2d

    def products(self, channel: int) -> Tensor:
        """Multiply pixels and weights of one channel at every position: (rows, columns, kernel height, width)."""
        weights = self.weight[channel]
        lying = F.unfold(self.padded[None, [channel]], weights.shape, self.dilation, stride=self.stride)[0]
        return lying.T.reshape(*self.output.shape, *weights.shape) * weights


def work(image: Tensor, layer: Conv2d, weight: Tensor, bias: Tensor | None, channel: int = 0) -> Worked:
    """Compute output channel ``channel`` of ``layer`` on an ``image`` (C, H, W), step by step.

    ``weight`` (out_channels, C / groups, kernel height, width) and ``bias`` (out_channels,) are an ``nn.Conv2d``'s.
    Raises LayerError where the layer does not fit the image.
    """
    layer.output_shape(tuple(image.shape), 0)
    looked_at = weight.shape[1]
    first = channel // (layer.out_channels // layer.groups) * looked_at
    borders, mode = borders_of(layer), _PAD_MODES[layer.padding_mode]
    padded = F.pad(image[None, first : first + looked_at], borders, mode)[0]  # (K, H', W')
    chosen, shift = weight[channel], None if bias is None else bias[channel]  # (K, kernel height, width)
    stride, dilation = pair(layer.stride), pair(layer.dilation)
    sums = F.conv2d(padded[None], chosen[:, None], None, stride, 0, dilation, groups=looked_at)[0]
    return Worked(
        first=first,
        padded=padded,
        borders=borders,
        origin=_origin(tuple(image.shape[1:]), borders, mode),
        weight=chosen,
        bias=None if shift is None else float(shift),
        stride=stride,
        dilation=dilation,
        sums=sums,
        output=F.conv2d(padded[None], chosen[None], None if shift is None else shift[None], stride, 0, dilation)[0, 0],
    )


def fresh(layer: Conv2d, shape: Shape, seed: int = 0) -> nn.Conv2d:
    """Build the real layer for images of ``shape`` = (C, H, W), with PyTorch's random initial weights.

    Raises ValueError where PyTorch refuses the arguments.
    """
    with seeded(seed):
        module = layer_module(layer, shape, 0)
    assert isinstance(module, nn.Conv2d)
    return module.requires_grad_(False)


def borders_of(layer: Conv2d) -> tuple[int, int, int, int]:
    """Compute the padding in pixels: left, right, top, bottom; 'same' puts an odd pixel at the right and the bottom."""
    if layer.padding == "same":
        kernel, dilation = pair(layer.kernel_size), pair(layer.dilation)
        height, width = (step * (size - 1) for size, step in zip(kernel, dilation, strict=True))
        return width // 2, width - width // 2, height // 2, height - height // 2
    rows, columns = (0, 0) if isinstance(layer.padding, str) else pair(layer.padding)
    return columns, columns, rows, rows


def _origin(size: Shape, borders: tuple[int, int, int, int], mode: str) -> Tensor:
    height, width = size
    numbers = torch.arange(height * width, dtype=torch.float64).view(1, 1, height, width)
    filling = {"value": -1.0} if mode == "constant" else {}
    return F.pad(numbers, borders, mode, **filling)[0, 0].long()
