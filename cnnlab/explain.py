"""What a network has learned (filters) and what it sees in an image (feature maps)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def conv_layers(network: nn.Module) -> dict[str, nn.Conv2d]:
    """Every convolution by its name in the network, also those inside blocks, in order."""
    return {name: module for name, module in network.named_modules() if isinstance(module, nn.Conv2d)}


def filters(network: nn.Module, layer: str) -> Tensor:
    """Learned weights of a convolution: (out_channels, in_channels / groups, kernel height, width)."""
    return conv_layers(network)[layer].weight.detach()


def feature_maps(network: nn.Sequential, inputs: Tensor) -> dict[str, Tensor]:
    """What each named layer gives for ``inputs`` (N, C, H, W), where that is maps: name → (N, C', H', W').

    Walks the layers one by one instead of hooking them, so the network is left as it was.
    """
    maps = {}
    with torch.inference_mode():
        for name, module in network.named_children():
            inputs = module(inputs)
            if inputs.dim() == 4:
                maps[name] = inputs
    return maps
