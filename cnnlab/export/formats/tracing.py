"""What exporters that trace a network need: quiet, by itself, and layers that they know."""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import torch
from torch import Tensor, nn

_alone = Lock()  # tracing changes what is global in torch


@contextmanager
def tracing() -> Iterator[None]:
    """Trace one network at a time, and silence the exporter, which warns of its own insides."""
    logger = logging.getLogger("torch.onnx")
    with _alone, warnings.catch_warnings(action="ignore"):
        level = logger.level
        logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            logger.setLevel(level)


class _SlicedMax(nn.Module):
    """Adaptive max pooling by slices, first of rows, then of columns: exporters know no other way."""

    def __init__(self, before: torch.Size, after: torch.Size) -> None:
        super().__init__()
        self.before, self.after = before, after  # (N, C, H, W)

    def forward(self, maps: Tensor) -> Tensor:
        for axis, length, count in zip((2, 3), self.before[2:], self.after[2:], strict=True):
            edges = [(length * at // count, -(-length * (at + 1) // count)) for at in range(count)]
            maps = torch.cat([maps.narrow(axis, a, b - a).amax(axis, keepdim=True) for a, b in edges], axis)
        return maps


def without_adaptive_max(network: nn.Module, images: Tensor) -> nn.Module:
    """Copy the network with slices in place of adaptive max pooling, for the sizes that ``images`` lead to."""
    copied = copy.deepcopy(network).eval()
    found = {name: module for name, module in copied.named_modules() if isinstance(module, nn.AdaptiveMaxPool2d)}
    sizes: dict[nn.Module, tuple[torch.Size, torch.Size]] = {}
    for module in found.values():
        module.register_forward_hook(lambda module, given, maps: sizes.update({module: (given[0].shape, maps.shape)}))
    with torch.inference_mode():
        copied(images)
    for name, module in found.items():
        copied.set_submodule(name, _SlicedMax(*sizes[module]))
    return copied
