"""Modules that PyTorch lacks, as layers are built from them; their source goes into the code of a network."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnlab.networks.layers.base import Merge, pair


class Dropout(nn.Module):
    """Drop numbers by a generator of its own, so that runs side by side stay reproducible.

    On a CPU it equals PyTorch's dropout bit for bit when torch's global generator has the same seed.
    """

    def __init__(self, p: float, channels: bool) -> None:
        super().__init__()
        self.p = p
        self.channels = channels
        self.generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        noise = x.new_empty(*x.shape[:2], 1, 1) if self.channels else torch.empty_like(x)
        return x * noise.bernoulli_(1 - self.p, generator=self.generator).div_(1 - self.p)


class MaxPool2d(nn.MaxPool2d):
    """``nn.MaxPool2d``, sooner where it halves maps whose channels are not last, on a CPU and without gradients.

    PyTorch's own looks at one window after another there; its maximum of two tensors takes many numbers at once.
    """

    def forward(self, x: Tensor) -> Tensor:
        is_plain = x.device.type == "cpu" and x.is_contiguous() and not torch.is_grad_enabled()
        has_windows = x.dim() == 4 and x.numel() > 0 and min(x.shape[-2:]) > 1  # PyTorch refuses most other shapes
        if not (is_plain and has_windows and self._halves) or torch.compiler.is_compiling():  # exported as the layer
            pooled: Tensor = super().forward(x)
            return pooled
        height, width = (length // 2 * 2 for length in x.shape[-2:])
        rows = torch.maximum(x[..., 0:height:2, :], x[..., 1:height:2, :])
        return torch.maximum(rows[..., 0:width:2], rows[..., 1:width:2])

    @property
    def _halves(self) -> bool:
        settings = (self.kernel_size, self.stride, self.padding, self.dilation)
        return not self.ceil_mode and [pair(each) for each in settings] == [(2, 2), (2, 2), (0, 0), (1, 1)]


class PaddedConv2d(nn.Conv2d):
    """``nn.Conv2d`` whose sides are padded unequally: by ``sides`` = (left, right, top, bottom) pixels."""

    def __init__(self, *arguments: Any, sides: tuple[int, int, int, int], **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.sides = sides

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(F.pad(x, self.sides))


class Resize(nn.Module):
    """Enlarge or shrink images to ``size`` = (height, width) by linear interpolation, smoothed where they shrink."""

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[2:] == self.size:
            return x
        # On a CPU PyTorch smooths no 16-bit numbers.
        return F.interpolate(x.float(), self.size, mode="bilinear", antialias=True).to(x.dtype)


class LayerNorm2d(nn.LayerNorm):
    """Normalise over the channels of maps, at each position by itself."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class LayerScale(nn.Module):
    """Multiply each channel by a learned factor, ``initial`` at first."""

    def __init__(self, channels: int, initial: float = 1.0) -> None:
        super().__init__()
        self.initial = initial
        self.weight = nn.Parameter(torch.empty(channels))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.constant_(self.weight, self.initial)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight.view(-1, *[1] * (x.dim() - 2))


class ResidualBlock(nn.Module):
    """``activation(body(x) + shortcut(x))``."""

    def __init__(self, body: nn.Module, shortcut: nn.Module, activation: nn.Module) -> None:
        super().__init__()
        self.body = body
        self.shortcut = shortcut
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.activation(self.body(x) + self.shortcut(x))
        return out


class ParallelBlock(nn.Module):
    """Concatenate the outputs of ``paths`` for x along the channels."""

    def __init__(self, **paths: nn.Module) -> None:
        super().__init__()
        for name, path in paths.items():
            self.add_module(name, path)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([path(x) for path in self.children()], dim=1)


class SqueezeExciteBlock(nn.Module):
    """``x · gate(x)``, one factor for each map."""

    def __init__(self, gate: nn.Module) -> None:
        super().__init__()
        self.gate = gate

    def forward(self, x: Tensor) -> Tensor:
        weights: Tensor = self.gate(x)  # (N, C, 1, 1)
        return x * weights


MERGES: dict[Merge, type[nn.Module]] = {
    "sum": ResidualBlock,
    "concatenation": ParallelBlock,
    "product": SqueezeExciteBlock,
}
OWN: dict[str, type[nn.Module]] = {
    module.__name__: module for module in (PaddedConv2d, Resize, LayerNorm2d, LayerScale)
}
"""The modules without branches that ``torch.nn`` has none of, by the name that a layer's ``Call`` has."""
