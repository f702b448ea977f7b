"""What a network has learned: its filters, how its weights are spread and how they change."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def conv_layers(network: nn.Module) -> dict[str, nn.Conv2d]:
    """Every convolution by its name in the network, also those inside blocks, in order."""
    return {name: module for name, module in network.named_modules() if isinstance(module, nn.Conv2d)}


def filters(network: nn.Module, layer: str) -> Tensor:
    """Learned weights of a convolution: (out_channels, in_channels / groups, kernel height, width)."""
    return conv_layers(network)[layer].weight.detach()


def norms(weights: Tensor) -> Tensor:
    """(N, …) → (N,): the Euclidean length of each filter."""
    lengths: Tensor = torch.linalg.vector_norm(weights.flatten(1), dim=1)
    return lengths


def weights_by_layer(network: nn.Module) -> dict[str, Tensor]:
    """Weights of every convolution and linear layer, by the layer's name, in order."""
    return {name: layer.weight.detach() for name, layer in _weighted(network).items()}


def gradients_by_layer(network: nn.Module, inputs: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """Gradient of the mean cross-entropy by the weights of each convolution and linear layer.

    In the mode the network is in; its own ``grad`` stays as it was.
    """
    layers = _weighted(network)
    with torch.enable_grad():
        loss = F.cross_entropy(network(inputs), labels)
        found = torch.autograd.grad(loss, [layer.weight for layer in layers.values()])
    return dict(zip(layers, found, strict=True))


def relative_change(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> dict[str, float]:
    """How far each layer's weights moved, as a share of their length before."""
    return {
        name: ((after[name] - weights).norm() / weights.norm().clamp_min(1e-12)).item()
        for name, weights in before.items()
    }


def _weighted(network: nn.Module) -> dict[str, nn.Conv2d | nn.Linear]:
    return {name: module for name, module in network.named_modules() if isinstance(module, nn.Conv2d | nn.Linear)}
