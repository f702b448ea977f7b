"""Passage: one image through a network, layer by layer: the maps to show of each, and where its input comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from cnnlab.analysis.activations import Seen, leaves, look


@dataclass(frozen=True)
class Stage:
    """A layer on the way of one image."""

    name: str
    module: nn.Module
    before: Tensor  # (C, H, W) or (features,)
    after: Tensor
    source: str | None  # the stage whose output is the input; "" for the image, None where paths were joined
    units: tuple[int, ...]  # the maps to show, ascending; of a stage with features none
    keeps_maps: bool  # whether map k of the output is made of map k of the input alone

    @property
    def kind(self) -> str:
        """The class of the module."""
        return type(self.module).__name__


def passage(network: nn.Module, inputs: Tensor, most: int, by_blocks: bool = False) -> list[Stage]:
    """Record the passage of one image, ``inputs`` (1, C, H, W), with ``most`` maps of each stage at most.

    Stages are the layers, also those within blocks, or with ``by_blocks`` the network's own parts. Consecutive stages
    that keep their maps apart show the same maps: the strongest of the last of them.
    """
    modules = dict(network.named_children()) if by_blocks else leaves(network)
    seen = look(network, inputs, modules)
    sources = _sources(seen, inputs)
    keeps = {name: sources[name] is not None and _keeps_maps(modules[name], found) for name, found in seen.items()}
    roots: dict[str, str] = {}  # the first of the stages that show the same maps
    for name in seen:
        roots[name] = roots.get(sources[name] or "", name) if keeps[name] else name
    last = {root: name for name, root in roots.items()}
    return [
        Stage(
            name,
            modules[name],
            found.before[0],
            found.after[0],
            sources[name],
            strongest(seen[last[roots[name]]].after[0], most),
            keeps[name],
        )
        for name, found in seen.items()
    ]


def strongest(maps: Tensor, most: int) -> tuple[int, ...]:
    """Number the ``most`` maps (C, H, W) with the largest mean magnitude, ascending; none of features."""
    if maps.dim() != 3:
        return ()
    return tuple(maps.abs().mean((1, 2)).argsort(descending=True, stable=True)[:most].sort().values.tolist())


def reach(convolution: nn.Conv2d, unit: int, channels: tuple[int, ...]) -> list[float]:
    """Return how much filter ``unit`` reads of each of the input ``channels``: the norm of its weights, at most 1."""
    weights = convolution.weight.detach()[unit].flatten(1).norm(dim=1)  # (C / groups,)
    first = unit // (convolution.out_channels // convolution.groups) * len(weights)
    most = float(weights.max()) or 1.0
    return [
        float(weights[channel - first]) / most if first <= channel < first + len(weights) else 0.0
        for channel in channels
    ]


def _sources(seen: Mapping[str, Seen], inputs: Tensor) -> dict[str, str | None]:
    """Find the stage whose output each stage takes in, by the tensor itself."""
    made: dict[int, str] = {id(inputs): ""}
    found: dict[str, str | None] = {}
    for name, stage in seen.items():
        found[name] = made.get(id(stage.before))
        made[id(stage.after)] = name
    return found


def _keeps_maps(module: nn.Module, seen: Seen) -> bool:
    if seen.before.dim() != 4 or seen.after.dim() != 4 or seen.before.shape[1] != seen.after.shape[1]:
        return False
    if isinstance(module, nn.Conv2d):
        return module.groups == module.in_channels == module.out_channels
    return not any(module.children())
