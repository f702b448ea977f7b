"""A network's weights: its filters, their norms, their gradients and how they change."""

from __future__ import annotations

from collections.abc import Generator, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnlab.analysis.activations import images_at_once
from cnnlab.jobs.worker import Part


def conv_layers(network: nn.Module) -> dict[str, nn.Conv2d]:
    """List every convolution by its name in the network, also inside blocks, in order."""
    return {name: module for name, module in network.named_modules() if isinstance(module, nn.Conv2d)}


def filters(network: nn.Module, layer: str) -> Tensor:
    """Return the weights of a convolution: (out_channels, in_channels / groups, kernel height, width)."""
    return conv_layers(network)[layer].weight.detach()


def norms(weights: Tensor) -> Tensor:
    """Compute the L2 norm of each filter: (N, …) → (N,)."""
    lengths: Tensor = torch.linalg.vector_norm(weights.flatten(1), dim=1)
    return lengths


def weights_by_layer(network: nn.Module) -> dict[str, Tensor]:
    """Collect the weights of every convolution and linear layer by the layer's name, in order."""
    return {name: layer.weight.detach() for name, layer in _weighted(network).items()}


def gradients_by_layer(network: nn.Module, inputs: Tensor, labels: Tensor) -> Generator[Part[dict[str, Tensor]]]:
    """Compute the gradient of the mean cross-entropy by the weights of each convolution and linear layer.

    The network stays in its mode, and its own ``grad`` as it was.
    """
    layers = _weighted(network)
    weights = [layer.weight for layer in layers.values()]
    total, count = [torch.zeros_like(weight) for weight in weights], 0
    at_once = images_at_once(network, inputs[:1], len(inputs))
    for images, truth in zip(inputs.split(at_once), labels.split(at_once), strict=True):
        with torch.enable_grad():
            loss = F.cross_entropy(network(images), truth, reduction="sum") / len(inputs)
            found = torch.autograd.grad(loss, weights)
        total = [sofar + gradient for sofar, gradient in zip(total, found, strict=True)]
        count += len(images)
        yield Part(count / len(inputs))
    yield Part(1.0, dict(zip(layers, total, strict=True)))


def relative_change(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> dict[str, float]:
    """Compute how far each layer's weights moved, as a share of their norm before."""
    return {
        name: ((after[name] - weights).norm() / weights.norm().clamp_min(1e-12)).item()
        for name, weights in before.items()
    }


def _weighted(network: nn.Module) -> dict[str, nn.Conv2d | nn.Linear]:
    return {name: module for name, module in network.named_modules() if isinstance(module, nn.Conv2d | nn.Linear)}
