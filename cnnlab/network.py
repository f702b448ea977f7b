"""From a layer list to an ``nn.Module`` whose submodules carry the layers' names."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import torch
from torch import Tensor, nn

from cnnlab.architectures import Architecture, summarise
from cnnlab.layers import Initialisation, Layer, Shape, trace

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leaky-relu": nn.LeakyReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "elu": nn.ELU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}

_drawing = Lock()


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """torch's own generator, seeded, for the one thread inside; afterwards it is as it was.

    Initial weights, and methods of libraries that draw, know no other, and a process has only one.
    """
    with _drawing, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


class Dropout(nn.Module):
    """Dropout that draws from a generator of its own, so that runs side by side stay reproducible."""

    def __init__(self, p: float, channels: bool) -> None:
        super().__init__()
        self.p = p
        self.channels = channels
        self.generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        shape = (*x.shape[:2], 1, 1) if self.channels else x.shape
        keep = torch.empty(shape, device=x.device, dtype=x.dtype).bernoulli_(1 - self.p, generator=self.generator)
        return x * keep / (1 - self.p)


class ResidualBlock(nn.Module):
    """``relu(body(x) + shortcut(x))``."""

    def __init__(self, body: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.body = body
        self.shortcut = shortcut
        self.activation = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.body(x) + self.shortcut(x))  # type: ignore[no-any-return]


def build(architecture: Architecture, input_shape: Shape, classes: int, seed: int = 0) -> nn.Sequential:
    """The network for images of ``input_shape`` = (C, H, W): (N, C, H, W) → logits (N, classes).

    The same seed gives the same weights. Raises ArchitectureError where a layer does not fit.
    """
    summarise(architecture, input_shape, classes)  # refuses what does not fit, naming the layer
    shapes = trace(architecture.layers, input_shape, classes)
    with seeded(seed):
        modules = [
            (name, layer_module(layer, shape, classes))
            for (name, layer), shape in zip(architecture.named_layers, shapes, strict=False)
        ]
    return nn.Sequential(OrderedDict(modules))


def seed_dropout(network: nn.Module, seed: int, device: torch.device) -> None:
    """Give the network's dropout layers one generator on ``device``."""
    generator = torch.Generator(device).manual_seed(seed)
    for module in network.modules():
        if isinstance(module, Dropout):
            module.generator = generator


def dropout_generator(network: nn.Module) -> torch.Generator | None:
    """The one that ``seed_dropout`` gave; None where nothing drops out."""
    return next((module.generator for module in network.modules() if isinstance(module, Dropout)), None)


def _chain(layers: tuple[Layer, ...], shape: Shape, classes: int) -> nn.Sequential:
    shapes = trace(layers, shape, classes)
    return nn.Sequential(
        *(layer_module(layer, flowing, classes) for layer, flowing in zip(layers, shapes, strict=False))
    )


def layer_module(layer: Layer, shape: Shape, classes: int) -> nn.Module:  # noqa: PLR0911 - one return a kind
    """One layer as a module, for an input of ``shape``; its weights come from torch's global generator."""
    arguments: dict[str, Any] = layer.model_dump(exclude={"kind", "name", "init"})
    match layer.kind:
        case "conv2d":
            return _initialised(nn.Conv2d(shape[0], **arguments), layer.init)
        case "linear":
            (features,) = layer.output_shape(shape, classes)
            return _initialised(nn.Linear(shape[0], features, layer.bias), layer.init)
        case "max-pool2d":
            return nn.MaxPool2d(**arguments)
        case "avg-pool2d":
            return nn.AvgPool2d(**arguments)
        case "adaptive-pool2d":
            pool = nn.AdaptiveAvgPool2d if layer.pool == "avg" else nn.AdaptiveMaxPool2d
            return pool(layer.output_size)
        case "batch-norm2d":
            return nn.BatchNorm2d(shape[0], **arguments)
        case "activation":
            return ACTIVATIONS[layer.function]()
        case "dropout":
            return Dropout(layer.p, layer.channels)
        case "flatten":
            return nn.Flatten()
        case "residual":
            return ResidualBlock(
                _chain(layer.body, shape, classes), _chain(layer.projection(shape, classes), shape, classes)
            )


def _initialised(module: nn.Conv2d | nn.Linear, init: Initialisation) -> nn.Module:
    """Weights as asked; biases keep PyTorch's own initialisation."""
    if init == "xavier-uniform":
        nn.init.xavier_uniform_(module.weight)
    elif init == "kaiming-normal":
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    return module
