"""Two networks of all bricks, for maps and for features."""

from __future__ import annotations

from cnnlab.networks.architecture import Draft
from cnnlab.networks.layers import KINDS, AdaptivePool2d, Chain, Conv2d, Flatten, LayerError, Linear


def chained(flat: bool) -> Draft:
    """A network of every example of every kind of layer that fits, one after the other."""
    layers: list[object] = []
    shape: tuple[int, ...] = (48,) if flat else (8, 24, 24)
    for kind in KINDS.values():
        for settings in kind.examples.values():
            layer = kind(**settings)
            try:
                made = layer.output_shape(shape, 10)
            except LayerError:
                continue
            if len(made) == len(shape) and min(made[1:], default=8) >= 3:
                layers.append(layer)
                shape = made
    ending = () if flat else (AdaptivePool2d(pool="max", output_size=(3, 2)), Flatten())
    first: Chain = (Flatten(), Linear(out_features=48)) if flat else (Conv2d(out_channels=8, padding=1),)
    return Draft(name="all", title="All", layers=(*first, *layers, *ending, Linear(out_features="classes")))


BRICKS = {"maps": chained(flat=False), "features": chained(flat=True)}
