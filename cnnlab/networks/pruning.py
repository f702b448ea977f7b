"""Networks with fewer filters: the weakest ones are cut out of a trained network, as Li et al. 2017, arXiv:1608.08710.

What is left is an ordinary, smaller network. Single weights set to zero would leave file and time as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from math import prod
from typing import TypeVar, cast

import torch
from torch import Tensor

from cnnlab.errors import CnnLabError
from cnnlab.networks.architecture import Architecture
from cnnlab.networks.layers import (
    Activation,
    BatchNorm2d,
    Chain,
    Conv2d,
    DepthwiseSeparable,
    Flatten,
    GroupNorm,
    Layer,
    LayerNorm,
    Linear,
    Parallel,
    Residual,
    Shape,
    Softmax,
    SqueezeExcite,
)

_Sized = TypeVar("_Sized", Conv2d, DepthwiseSeparable)
_Named = Sequence[tuple[str, Layer]]  # with the names of their modules


class PruningError(CnnLabError, ValueError):
    """Report a network that has no filter to cut; the message says why."""


@dataclass(frozen=True)
class Kept:
    """Name what is kept of a network: masks of each module's outputs and inputs, by its name there."""

    layers: Chain
    outputs: dict[str, Tensor]  # (channels or features,) booleans
    inputs: dict[str, Tensor]  # of convolutions and linear layers

    def of(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return what is kept of the network's weights."""
        return {name: self._part(name, tensor) for name, tensor in weights.items()}

    def _part(self, name: str, tensor: Tensor) -> Tensor:
        module, _, kind = name.rpartition(".")
        if module in self.outputs and tensor.dim():
            tensor = tensor[self.outputs[module]]
        if module in self.inputs and kind == "weight":
            tensor = tensor[:, self.inputs[module]]
        return tensor.clone()


def pruned(
    architecture: Architecture, shape: Shape, classes: int, weights: Mapping[str, Tensor], keep: float
) -> tuple[Architecture, dict[str, Tensor]]:
    """Keep the share ``keep`` of the filters of each convolution that can do with fewer, and of what depends on them.

    Raises PruningError where no filter can be cut.
    """
    kept = strongest(architecture, shape, classes, weights, keep)
    if kept.layers == architecture.layers:
        if keep < 1:
            raise PruningError(
                f"the network {architecture.name} has no filter to remove: its convolutions have too few, or a sum, a "
                "group, a softmax, a sigmoid or a norm over channels joins them"
            )
        return architecture, kept.of(weights)
    fields = {
        "name": f"{architecture.name.removesuffix('-pruned')[:53]}-pruned",
        "title": f"{architecture.title[:64]}, pruned",
        "description": architecture.description,
        "layers": kept.layers,
    }
    return Architecture.model_validate(fields), kept.of(weights)


def strongest(
    architecture: Architecture, shape: Shape, classes: int, weights: Mapping[str, Tensor], keep: float
) -> Kept:
    """Choose the filters to keep. Where something joins channels that cannot be cut, their convolutions stay whole."""
    walk = _Walk(weights, classes, keep)
    while True:
        image = _Flow(shape, torch.ones(shape[0], dtype=torch.bool))
        layers, _ = walk.chain(architecture.named_layers, image)
        if walk.joined <= walk.whole:
            return Kept(layers, walk.outputs, walk.inputs)
        walk = _Walk(weights, classes, keep, walk.whole | walk.joined)


@dataclass(frozen=True)
class _Flow:
    """A value on its way through the network: its whole shape, the channels kept, and whose filters they are."""

    shape: Shape
    kept: Tensor  # (channels or features,) booleans
    sources: frozenset[str] = frozenset()

    @property
    def shape_kept(self) -> Shape:
        return (int(self.kept.sum()), *self.shape[1:])


@dataclass
class _Walk:
    """Follow an image through the layers, with the convolutions ``whole`` as they are and fewer filters in others."""

    weights: Mapping[str, Tensor]
    classes: int
    keep: float
    whole: frozenset[str] = frozenset()
    joined: frozenset[str] = frozenset()  # convolutions that turn out to be needed whole
    outputs: dict[str, Tensor] = field(default_factory=dict)
    inputs: dict[str, Tensor] = field(default_factory=dict)

    def chain(self, named: _Named, flow: _Flow) -> tuple[Chain, _Flow]:
        """Return the layers with fewer filters, and what comes out of them."""
        layers: list[Layer] = []
        for at, (name, layer) in enumerate(named):
            out = layer.output_shape(flow.shape, self.classes)
            if isinstance(layer, Conv2d) and layer.groups == 1:
                made, flow = self._convolution(layer, name, flow, self._norms(named[at + 1 :]))
            else:
                made, flow = self._layer(layer, name, flow)
            layers.append(made)
            flow = replace(flow, shape=out)
            self.outputs[name] = flow.kept
        return tuple(layers), flow

    def _convolution(self, layer: Conv2d, name: str, flow: _Flow, norms: Sequence[str]) -> tuple[Layer, _Flow]:
        self.inputs[name] = flow.kept
        kept = self._strongest(name, norms)
        return _with_outputs(layer, kept), _Flow((), kept, frozenset({name}))

    def _layer(self, layer: Layer, name: str, flow: _Flow) -> tuple[Layer, _Flow]:
        """Follow any other layer; one not named here works channel by channel, and makes zeros of zeros."""
        made: Layer = layer
        match layer:
            case Conv2d():
                made, flow = self._grouped(layer, flow)
            case Linear():
                self.inputs[name] = flow.kept
                flow = _Flow((), torch.ones(len(self.weights[f"{name}.weight"]), dtype=torch.bool))
            case Flatten():  # (C, H, W) → (C·H·W,): a channel is a block of features
                flow = replace(flow, kept=flow.kept.repeat_interleave(prod(flow.shape[1:])))
            case Residual():
                made, flow = self._residual(layer, name, flow)
            case Parallel():
                made, flow = self._parallel(layer, name, flow)
            case DepthwiseSeparable():
                (inner,) = layer.branches(flow.shape, self.classes).values()
                _, flow = self.chain(_numbered(name, inner), flow)
                made = _with_outputs(layer, flow.kept)
            case SqueezeExcite():
                made = self._squeeze(layer, name, flow)
            case GroupNorm() | LayerNorm() | Softmax() | Activation(function="sigmoid" | "hard-sigmoid"):
                flow = self._joined(flow)
        return made, flow

    def _grouped(self, layer: Conv2d, flow: _Flow) -> tuple[Layer, _Flow]:
        """Let a depthwise convolution follow its input; other groups stay as they are."""
        if layer.groups != flow.shape[0]:
            return layer, _Flow((), torch.ones(layer.out_channels, dtype=torch.bool), self._joined(flow).sources)
        kept = flow.kept.repeat_interleave(layer.out_channels // layer.groups)
        narrow = layer.model_copy(update={"groups": flow.shape_kept[0]})
        return _with_outputs(narrow, kept), replace(flow, kept=kept)

    def _residual(self, layer: Residual, name: str, flow: _Flow) -> tuple[Layer, _Flow]:
        projection = layer.projection(flow.shape, self.classes)
        body, out = self.chain(_numbered(f"{name}.body", layer.body), flow)
        _, shortcut = self.chain(_numbered(f"{name}.shortcut", projection), flow)
        self._joined(shortcut)
        if projection and flow.shape_kept == out.shape:  # the block would do without its projection
            self._joined(flow)
        return layer.with_chains([body]), self._joined(out)

    def _parallel(self, layer: Parallel, name: str, flow: _Flow) -> tuple[Layer, _Flow]:
        paths = [self.chain(_numbered(f"{name}.{path}", chain), flow) for path, chain in layer.chains.items()]
        kept = torch.cat([out.kept for _, out in paths])
        sources = frozenset[str]().union(*(out.sources for _, out in paths))
        return layer.with_chains([chain for chain, _ in paths]), _Flow((), kept, sources)

    def _squeeze(self, layer: SqueezeExcite, name: str, flow: _Flow) -> Layer:
        """Let the gate's first convolution take fewer channels, and its second one give as many."""
        narrowing = cast("Conv2d", layer.branches(flow.shape, self.classes)["gate"][1])
        self.inputs[f"{name}.gate.1"] = self.outputs[f"{name}.gate.3"] = flow.kept
        narrow = layer.model_copy(update={"squeezed": narrowing.out_channels})
        return layer if flow.kept.all() else narrow

    def _joined(self, flow: _Flow) -> _Flow:
        """Note that all channels of a value are needed."""
        if not flow.kept.all():
            self.joined |= flow.sources
        return replace(flow, kept=torch.ones_like(flow.kept))

    def _strongest(self, name: str, norms: Sequence[str]) -> Tensor:
        """Return a mask of the filters to keep."""
        found = sizes(self.weights, name, norms)
        keep = 1.0 if name in self.whole else self.keep
        removed = weakest(found, len(found) - max(1, round(keep * len(found))))
        return torch.ones(len(found), dtype=torch.bool).index_fill(0, torch.tensor(removed, dtype=torch.long), False)

    def _norms(self, named: _Named) -> list[str]:
        """Name the batch norm after a convolution, which has a factor for each filter."""
        near = takewhile(lambda step: step[1].family not in ("convolution", "linear", "block"), named)
        return [name for name, layer in near if isinstance(layer, BatchNorm2d) and layer.affine][:1]


def sizes(weights: Mapping[str, Tensor], layer: str, norms: Sequence[str]) -> Tensor:
    """Return the L1 norm of each filter of a layer, times its factors in the norms after it: (N,) in 64 bits."""
    found = weights[f"{layer}.weight"].double().abs().flatten(1).sum(1)
    for norm in norms:
        factors = weights.get(f"{norm}.weight")
        if factors is not None and len(factors) == len(found):
            found = found * factors.double().abs().view(len(found), -1).mean(1)
    return found


def weakest(sizes: Tensor, count: int) -> list[int]:
    """Number the ``count`` filters of the smallest size; of equal ones the last."""
    order = sizes.argsort(descending=True, stable=True).tolist()
    return order[len(order) - count :]


def _numbered(prefix: str, chain: Chain) -> _Named:
    return [(f"{prefix}.{number}", layer) for number, layer in enumerate(chain)]


def _with_outputs(layer: _Sized, kept: Tensor) -> _Sized:
    return layer.model_copy(update={"out_channels": int(kept.sum())})
