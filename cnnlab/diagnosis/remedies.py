"""The changes that a diagnosis offers to a network: other first weights, other activations, more filters."""

from __future__ import annotations

from collections.abc import Callable

from cnnlab.networks.architecture import Architecture
from cnnlab.networks.edit import mapped
from cnnlab.networks.layers import Activation, Conv2d, Layer, Linear

WIDER = 8  # times as many filters


def restarted(architecture: Architecture) -> Architecture:
    """Start all layers from PyTorch's usual weights; where they do already, from Kaiming's, for deep networks."""
    inits = {init for _, layer in architecture.named_layers if (init := getattr(layer, "init", None))}
    usual = "kaiming-normal" if inits == {"default"} else "default"

    def start(layer: Layer) -> Layer:
        return layer.model_copy(update={"init": usual}) if isinstance(layer, (Conv2d, Linear)) else layer

    return _changed(architecture, start)


def rectified(architecture: Architecture) -> Architecture:
    """Replace each activation that saturates by ReLU."""

    def rectify(layer: Layer) -> Layer:
        return Activation(name=layer.name) if isinstance(layer, Activation) and layer.saturates else layer

    return _changed(architecture, rectify)


def leaky(architecture: Architecture) -> Architecture:
    """Replace each ReLU by leaky ReLU."""

    def leak(layer: Layer) -> Layer:
        is_dying = isinstance(layer, Activation) and layer.function in ("relu", "relu6")
        return layer.model_copy(update={"function": "leaky-relu"}) if is_dying else layer

    return _changed(architecture, leak)


def widened(architecture: Architecture) -> Architecture:
    """Give each layer WIDER times as many filters or units."""

    def widen(layer: Layer) -> Layer:
        if isinstance(layer, Conv2d):
            return layer.model_copy(update={"out_channels": layer.out_channels * WIDER})
        if isinstance(layer, Linear) and isinstance(layer.out_features, int):
            return layer.model_copy(update={"out_features": layer.out_features * WIDER})
        return layer

    return _changed(architecture, widen)


def _changed(architecture: Architecture, change: Callable[[Layer], Layer]) -> Architecture:
    return architecture.model_copy(update={"layers": mapped(architecture.layers, change)})
