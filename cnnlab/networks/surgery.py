"""Surgery: a trained network's weights after operations on them, as a pure function of both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cnnlab.errors import CnnLabError
from cnnlab.networks.operations import Operation
from cnnlab.networks.pruning import sizes, weakest

Weights = Mapping[str, Tensor]

_NORMS = nn.BatchNorm1d, nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm
_WEIGHTED = nn.Conv2d, nn.Linear
_NOT_ZERO = nn.Sigmoid, nn.Hardsigmoid, nn.Softmax  # of zero


class SurgeryError(CnnLabError, ValueError):
    """Report an operation that the network cannot take; the message says why."""


@dataclass(frozen=True)
class Part:
    """A convolution or a linear layer, with the norms that follow it before anything mixes its outputs."""

    name: str
    filters: int  # its outputs
    norms: tuple[str, ...]
    is_convolution: bool
    can_be_off: bool  # whether outputs can be zero for every image; not those of the logits

    def tensors(self, weights: Weights) -> list[str]:
        """Name all tensors that are the part's."""
        owners = {self.name, *self.norms}
        return [name for name in weights if name.rpartition(".")[0] in owners]


def parts_of(network: nn.Module) -> dict[str, Part]:
    """List the parts of a network by the names of their layers, in order, those within blocks too."""
    names = [name for name, module in network.named_modules() if isinstance(module, _WEIGHTED)]
    last = next((name for name in reversed(names) if isinstance(network.get_submodule(name), nn.Linear)), "")
    return {name: _part(network, name, name == last) for name in names}


def operated(
    parts: Mapping[str, Part],
    weights: Weights,
    operations: Iterable[Operation],
    source: Callable[[str], Weights],
) -> dict[str, Tensor]:
    """Return the weights after ``operations``, one after the other; tensors that none changes are the same objects.

    ``source`` returns the weights that a swap names. Raises SurgeryError for a layer, a filter or a source that does
    not fit, and what ``source`` raises.
    """
    result = dict(weights)
    for operation in operations:
        if operation.kind == "swap":
            _swap(result, _named(parts, operation.layer), source(operation.source))
            continue
        for part, filters in _chosen(parts, result, operation):
            if operation.kind == "on":
                _switch_on(result, part, filters, weights)
            else:
                _switch_off(result, part, filters)
    return result


def filters_off(part: Part, weights: Weights) -> tuple[int, ...]:
    """Number the filters whose weights are all zero, and so are those of the norms after them."""
    silencing = [weights[name] for name in part.tensors(weights) if name.endswith((".weight", ".bias"))]
    mask = torch.stack([~tensor.view(part.filters, -1).any(1) for tensor in silencing]).all(0)
    return tuple(mask.nonzero().flatten().tolist())


def _part(network: nn.Module, name: str, is_last: bool) -> Part:
    module = network.get_submodule(name)
    assert isinstance(module, _WEIGHTED)
    norms, silent = [], not is_last
    for path, after in _unmixed(network, name):
        if isinstance(after, _NORMS):
            norms.append(path)
            silent &= after.weight is not None or hasattr(after, "running_mean")
        silent &= not isinstance(after, _NOT_ZERO)
    return Part(name, len(module.weight), tuple(norms), isinstance(module, nn.Conv2d), silent)


def _unmixed(network: nn.Module, name: str) -> Iterator[tuple[str, nn.Module]]:
    """Yield the modules after a layer in its chain, by name, up to one that mixes channels."""
    prefix, _, own = name.rpartition(".")
    children = list(network.get_submodule(prefix).named_children())
    at = [child for child, _ in children].index(own)
    for child, module in children[at + 1 :]:
        if isinstance(module, (*_WEIGHTED, nn.Flatten)) or any(module.children()):
            return
        yield f"{prefix}.{child}".lstrip("."), module


def _named(parts: Mapping[str, Part], layer: str) -> Part:
    if layer not in parts:
        raise SurgeryError(f"the network has no convolution or linear layer {layer!r}")
    return parts[layer]


def _chosen(parts: Mapping[str, Part], weights: Weights, operation: Operation) -> Iterator[tuple[Part, list[int]]]:
    """Yield each part of which filters are switched, and their numbers."""
    if operation.layer:
        chosen = [_named(parts, operation.layer)]
        if not chosen[0].can_be_off:
            raise SurgeryError(
                f"outputs of {operation.layer} cannot be switched off: what follows makes no zero of zero"
            )
    else:
        chosen = [part for part in parts.values() if part.is_convolution and part.can_be_off]
    for part in chosen:
        if operation.kind == "prune":
            yield part, weakest(sizes(weights, part.name, part.norms), round(operation.share * part.filters))
        elif max(operation.filters, default=0) >= part.filters:
            raise SurgeryError(f"{part.name} has {part.filters} filters, numbered from 0")
        else:
            yield part, list(operation.filters or range(part.filters))


def _switch_off(weights: dict[str, Tensor], part: Part, filters: list[int]) -> None:
    """Set to zero what makes or shifts the outputs of ``filters``: zeros remain, whatever the image."""
    if not filters:
        return
    for name in part.tensors(weights):
        if name.endswith((".weight", ".bias", ".running_mean")):
            weights[name] = weights[name].index_fill(0, torch.tensor(filters), 0)


def _switch_on(weights: dict[str, Tensor], part: Part, filters: list[int], trained: Weights) -> None:
    """Give ``filters`` the weights that they were trained to; the whole part where these are all its filters."""
    chosen = torch.tensor(filters)
    for name in part.tensors(weights):
        if len(filters) == part.filters:
            weights[name] = trained[name]
        elif weights[name].dim():
            weights[name] = weights[name].index_copy(0, chosen, trained[name][chosen])


def _swap(weights: dict[str, Tensor], part: Part, other: Weights) -> None:
    for name in part.tensors(weights):
        if name not in other or other[name].shape != weights[name].shape or other[name].dtype != weights[name].dtype:
            raise SurgeryError(f"the other network has no layer {part.name} of this size")
        weights[name] = other[name]
