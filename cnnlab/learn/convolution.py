"""Convolution step by step: padded input, products at each position of the window, sums, output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnlab.networks.build import layer_module, seeded
from cnnlab.networks.layers import Conv2d, Shape
from cnnlab.networks.modules import PaddedConv2d

Pair = tuple[int, int]  # rows, columns

_PAD_MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "replicate", "circular": "circular"}


@dataclass(frozen=True)
class Worked:
    """Every intermediate result of one output channel; K = in_channels / groups is its number of input channels."""

    channels: tuple[int, ...]  # indices of these input channels
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

    @property
    def strongest(self) -> list[int]:
        """The positions of the input channels in ``channels``, that which changes the output most first."""
        order: list[int] = self.sums.abs().sum((1, 2)).argsort(descending=True, stable=True).tolist()
        return order

    def ordered(self, order: Sequence[int]) -> Worked:
        """Put the input channels in another ``order``, as the first ones are shown; the output stays."""
        places = list(order)
        return replace(
            self,
            channels=tuple(self.channels[place] for place in places),
            padded=self.padded[places],
            weight=self.weight[places],
            sums=self.sums[places],
        )


def work(image: Tensor, layer: Conv2d, weight: Tensor, bias: Tensor | None, channel: int = 0) -> Worked:
    """Compute output channel ``channel`` of ``layer`` on an ``image`` (C, H, W), step by step.

    ``weight`` (out_channels, C / groups, kernel height, width) and ``bias`` (out_channels,) are an ``nn.Conv2d``'s.
    Raises LayerError where the layer does not fit the image.
    """
    layer.output_shape(tuple(image.shape), 0)
    return _worked(image, layer, weight, bias, channel)


def work_of(module: nn.Conv2d, maps: Tensor, channel: int) -> Worked:
    """Compute output channel ``channel`` of a convolution on its input ``maps`` (C, H, W), step by step."""
    bias = None if module.bias is None else module.bias.detach()
    return _worked(maps, module, module.weight.detach(), bias, channel)


def _worked(image: Tensor, layer: Conv2d | nn.Conv2d, weight: Tensor, bias: Tensor | None, channel: int = 0) -> Worked:
    looked_at = weight.shape[1]
    first = channel // (layer.out_channels // layer.groups) * looked_at
    borders, mode = borders_of(layer), _PAD_MODES[layer.padding_mode]
    padded = F.pad(image[None, first : first + looked_at], borders, mode)[0]  # (K, H', W')
    chosen, shift = weight[channel], None if bias is None else bias[channel]  # (K, kernel height, width)
    stride, dilation = _pair(layer.stride), _pair(layer.dilation)
    sums = F.conv2d(padded[None], chosen[:, None], None, stride, 0, dilation, groups=looked_at)[0]
    return Worked(
        channels=tuple(range(first, first + looked_at)),
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


def borders_of(layer: Conv2d | nn.Conv2d) -> tuple[int, int, int, int]:
    """Compute the padding in pixels: left, right, top, bottom; 'same' puts an odd pixel at the right and the bottom."""
    if isinstance(layer, PaddedConv2d):
        return layer.sides
    if layer.padding == "same":
        kernel, dilation = _pair(layer.kernel_size), _pair(layer.dilation)
        height, width = (step * (size - 1) for size, step in zip(kernel, dilation, strict=True))
        return width // 2, width - width // 2, height // 2, height - height // 2
    rows, columns = (0, 0) if isinstance(layer.padding, str) else _pair(layer.padding)
    return columns, columns, rows, rows


def _pair(size: int | tuple[int, ...]) -> Pair:
    """Return rows and columns of a layer's or a module's setting."""
    return (size, size) if isinstance(size, int) else (size[0], size[1])


def _origin(size: Shape, borders: tuple[int, int, int, int], mode: str) -> Tensor:
    height, width = size
    numbers = torch.arange(height * width, dtype=torch.float64).view(1, 1, height, width)
    filling = {"value": -1.0} if mode == "constant" else {}
    return F.pad(numbers, borders, mode, **filling)[0, 0].long()
