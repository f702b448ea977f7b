"""Which weights a network can start from: those of a network with the same first layers."""

from __future__ import annotations

from collections.abc import Sequence

from cnnlab.networks.architecture import Draft
from cnnlab.networks.layers import Chain, Layer, Resize
from cnnlab.pretrained.table import BACKBONES, Backbone

FEWEST = 3  # layers alike: a convolution, its norm, its activation


def backbones_for(network: Draft) -> list[Backbone]:
    """List the published backbones whose weights fit the first layers of ``network``."""
    return [backbone for backbone in BACKBONES.values() if alike(network.layers, backbone.layers()) >= FEWEST]


def alike(first: Chain, second: Chain) -> int:
    """Count the first layers that two lists have in common, whatever their names and the size of the images."""
    count = 0
    for one, other in zip(_compared(first), _compared(second), strict=False):
        if one != other:
            break
        count += 1
    return count


def stem(layers: Chain) -> list[Layer]:
    """Return the first layers, whose weights fit every network that has the same ones; none of too few layers."""
    first = _compared(layers)[:FEWEST]
    return first if len(first) == FEWEST else []


def started_layers(network: Draft, backbone: str) -> list[str]:
    """List the layers of ``network`` that a backbone's weights fit, by name."""
    return [name for name, _ in network.named_layers[: _first_layers(network, BACKBONES[backbone])]]


def longest_backbone(network: Draft) -> int:
    """Count the first layers of ``network``, with those that resize among them, that are a published backbone's."""
    return max((_first_layers(network, backbone) for backbone in backbones_for(network)), default=0)


def _first_layers(network: Draft, backbone: Backbone) -> int:
    """Count the first layers that a backbone's weights fit, and those that resize among them."""
    left = alike(network.layers, backbone.layers())
    for count, layer in enumerate(network.layers):
        if not left and not isinstance(layer, Resize):
            return count
        left -= not isinstance(layer, Resize)
    return len(network.layers)


def cuts(network: Draft) -> list[str]:
    """List the layers from which a network may learn while those before are frozen: those with a window or weights.

    The first is left out, for before it nothing could be frozen.
    """
    named = network.named_layers
    found = [name for name, layer in named if layer.linearity == "weighted" or layer.branch_number]
    return found[1:]


def _compared(layers: Sequence[Layer]) -> list[Layer]:
    return [layer.model_copy(update={"name": None}) for layer in layers if not isinstance(layer, Resize)]
