"""Layer lists as ``nn.Module``s whose submodules have the layers' names."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from threading import Lock
from typing import cast

import torch
from torch import Tensor, nn

from cnnlab.networks.architecture import Architecture, summarise
from cnnlab.networks.layers import MODULES, Chain, Layer, Shape, trace
from cnnlab.networks.layers.base import Call
from cnnlab.networks.modules import MERGES, OWN, Dropout, MaxPool2d

ACTIVATIONS: dict[str, type[nn.Module]] = {function: getattr(nn, name) for function, name in MODULES.items()}

BATCH_NORMS = nn.BatchNorm1d, nn.BatchNorm2d

_global_generator = Lock()


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch's global generator inside the ``with`` block, one thread at a time, and restore it afterwards.

    Weight initialisation and some libraries know no other generator, and a process has only one.
    """
    with _global_generator, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


_REPLACED: dict[str, Callable[..., nn.Module]] = {  # in place of PyTorch's modules of these names
    "Dropout": partial(Dropout, channels=False),
    "Dropout2d": partial(Dropout, channels=True),
    "MaxPool2d": MaxPool2d,
}


def build(architecture: Architecture, input_shape: Shape, classes: int, seed: int = 0) -> nn.Sequential:
    """Build the network for images of ``input_shape`` = (C, H, W): (N, C, H, W) → logits (N, classes).

    The same seed gives the same weights. Raises ArchitectureError if a layer does not fit.
    """
    summarise(architecture, input_shape, classes)  # raises, naming the layer
    shapes = trace(architecture.layers, input_shape, classes)
    with seeded(seed):
        modules = [
            (name, layer_module(layer, shape, classes))
            for (name, layer), shape in zip(architecture.named_layers, shapes, strict=False)
        ]
    return nn.Sequential(OrderedDict(modules))


def parted(network: nn.Module, learn_from: str) -> tuple[nn.Sequential, nn.Module]:
    """Part a network into the layers before the one named ``learn_from``, which are frozen, and those that learn.

    Both share the network's layers; without a name nothing is frozen.
    """
    if not learn_from:
        return nn.Sequential(), network
    layers = cast("nn.Sequential", network)
    at = [name for name, _ in layers.named_children()].index(learn_from)
    frozen = cast("nn.Sequential", layers[:at])
    frozen.requires_grad_(False)
    return frozen, layers[at:]


def norms_of(network: nn.Module, names: Sequence[str]) -> list[nn.Module]:
    """List the batch norms of the layers of the given names, within blocks too."""
    chosen = [layer for name, layer in network.named_children() if name in names]
    return [norm for layer in chosen for norm in layer.modules() if isinstance(norm, BATCH_NORMS)]


def first_not_finite(network: nn.Sequential, inputs: Tensor) -> str:
    """Return the name of the first layer whose output for ``inputs`` is not finite; empty if all are."""
    for name, module in network.named_children():
        inputs = module(inputs)
        if not inputs.isfinite().all():
            return name
    return ""


def seed_dropout(network: nn.Module, seed: int, device: torch.device) -> None:
    """Give the network's dropout layers one shared generator on ``device``, seeded with ``seed``."""
    generator = torch.Generator(device).manual_seed(seed)
    for module in network.modules():
        if isinstance(module, Dropout):
            module.generator = generator


def dropout_generator(network: nn.Module) -> torch.Generator | None:
    """Return the generator of ``seed_dropout``; None for a network without dropout."""
    return next((module.generator for module in network.modules() if isinstance(module, Dropout)), None)


def _branches(layer: Layer, shape: Shape, classes: int) -> dict[str, nn.Module]:
    return {name: _chain(chain, shape, classes) for name, chain in layer.branches(shape, classes).items()}


def _chain(layers: Chain, shape: Shape, classes: int) -> nn.Sequential:
    shapes = trace(layers, shape, classes)
    return nn.Sequential(
        *(_uninitialised(layer, flowing, classes) for layer, flowing in zip(layers, shapes, strict=False))
    )


def layer_module(layer: Layer, shape: Shape, classes: int) -> nn.Module:
    """Build one layer for an input of ``shape``; its weights come from torch's global generator."""
    module = _uninitialised(layer, shape, classes)
    _initialise(module, layer, shape, classes)
    return module


def _uninitialised(layer: Layer, shape: Shape, classes: int) -> nn.Module:
    branches = _branches(layer, shape, classes)
    if not branches:
        return _torch_module(layer.call(shape, classes))
    if layer.merge == "none":
        (only,) = branches.values()
        return only
    others = {name: _torch_module(call) for name, call in layer.merge_modules().items()}
    return MERGES[layer.merge](**branches, **others)


def _torch_module(call: Call) -> nn.Module:
    module: nn.Module = (_REPLACED.get(call.name) or OWN.get(call.name) or getattr(nn, call.name))(
        *call.arguments, **call.keywords
    )
    return module


def _initialise(module: nn.Module, layer: Layer, shape: Shape, classes: int) -> None:
    """Initialise the weights as configured, a block's after all of it is built; biases keep PyTorch's default."""
    if call := layer.initial_weights():
        getattr(nn.init, call.name)(module.get_parameter("weight"), **call.keywords)
    for name, chain in layer.branches(shape, classes).items():
        branch = cast("nn.Sequential", module.get_submodule(name))
        for inner, part, flowing in zip(chain, branch, trace(chain, shape, classes), strict=False):
            _initialise(part, inner, flowing, classes)
