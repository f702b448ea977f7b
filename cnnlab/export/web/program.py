"""A built network as a program: primitive steps over numbered values, for an engine that knows nothing of PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import torch
from torch import Tensor, nn

from cnnlab.networks.layers import Shape
from cnnlab.networks.layers.base import pair
from cnnlab.networks.modules import (
    Dropout,
    LayerNorm2d,
    LayerScale,
    MaxPool2d,
    PaddedConv2d,
    ParallelBlock,
    ResidualBlock,
    Resize,
    SqueezeExciteBlock,
)

Step = dict[str, Any]
ALIGNED = 4  # numbers: each value begins at a multiple, as the kernel reads four at once


@dataclass
class Program:
    """Hold steps whose values are numbered: 0 is the input, each step adds one; tensors are numbered likewise.

    ``places`` says where a value lies in the engine's memory, in numbers; a view has its origin's place.
    """

    shapes: list[Shape]
    steps: list[Step] = field(default_factory=list)
    tensors: list[Tensor] = field(default_factory=list)
    layers: dict[str, int] = field(default_factory=dict)  # the value of each of the network's layers
    origins: dict[int, int] = field(default_factory=dict)  # the value that a view shows in another shape
    features: int = 0  # the value that the last linear layer takes
    output: int = 0
    places: list[int] = field(default_factory=list)
    size: int = 0  # numbers of memory that all values take

    def origin(self, value: int) -> int:
        return self.origins.get(value, value)

    def head(self) -> dict[str, Any]:
        """Return all but the tensors, as JSON has it."""
        kept = ("shapes", "steps", "layers", "features", "output", "places", "size")
        return {name: getattr(self, name) for name in kept}


def compile_network(network: nn.Sequential, shape: Shape, shown: tuple[str, ...] = ()) -> Program:
    """Compile a network in evaluation mode for one image of ``shape`` (C, H, W).

    The values of the layers ``shown`` stay in memory until the end, as the input, the features and the output do.
    Raises TypeError for a module without a step.
    """
    compiler = _Compiler(Program([shape]), _last_linear(network))
    with torch.inference_mode():
        value = 0
        for name, layer in network.named_children():
            value = compiler.apply(layer, value)
            compiler.program.layers[name] = value
    program = compiler.program
    program.output = value
    _place(program, {0, program.features, value, *(program.layers[name] for name in shown)})
    return program


def _last_linear(network: nn.Module) -> nn.Module | None:
    return next((module for module in reversed(list(network.modules())) if isinstance(module, nn.Linear)), None)


@dataclass
class _Compiler:
    program: Program
    last_linear: nn.Module | None

    def apply(self, module: nn.Module, value: int) -> int:
        """Append a module's steps for the input ``value``; return the output's number."""
        if module is self.last_linear:
            self.program.features = value
        if isinstance(module, nn.Sequential):
            return self._chain(module, value)
        if isinstance(module, ResidualBlock):
            return self._residual(module, value)
        if isinstance(module, ParallelBlock):
            return self._parallel(module, value)
        if isinstance(module, SqueezeExciteBlock):
            gate = self.apply(module.gate, value)
            return self._append({"do": "product"}, [value, gate], self.program.shapes[value])
        if isinstance(module, nn.Identity | Dropout):
            return value
        return self._leaf(module, value)

    def _chain(self, chain: nn.Sequential, value: int) -> int:
        for module in chain:
            value = self.apply(module, value)
        return value

    def _residual(self, block: ResidualBlock, value: int) -> int:
        body, shortcut = self.apply(block.body, value), self.apply(block.shortcut, value)
        total = self._append({"do": "sum"}, [body, shortcut], self.program.shapes[body])
        return self.apply(block.activation, total)

    def _parallel(self, block: ParallelBlock, value: int) -> int:
        paths = [self.apply(path, value) for path in block.children()]
        shapes = [self.program.shapes[path] for path in paths]
        return self._append({"do": "join"}, paths, (sum(shape[0] for shape in shapes), *shapes[0][1:]))

    def _leaf(self, module: nn.Module, value: int) -> int:
        before = self.program.shapes[value]
        after = tuple(module(torch.zeros(1, *before)).shape[1:])
        if isinstance(module, nn.Flatten):
            self.program.shapes.append(after)
            self.program.origins[len(self.program.shapes) - 1] = self.program.origin(value)
            return len(self.program.shapes) - 1
        if type(module) not in _STEPS:
            raise TypeError(f"there is no step for a {type(module).__name__}")
        settings, tensors = _STEPS[type(module)](module)
        named = {name: self._tensor(tensor) for name, tensor in tensors.items() if tensor is not None}
        return self._append({**settings, **named}, [value], after)

    def _tensor(self, tensor: Tensor) -> int:
        self.program.tensors.append(tensor.detach().float().contiguous())
        return len(self.program.tensors) - 1

    def _append(self, step: Step, inputs: list[int], shape: Shape) -> int:
        self.program.shapes.append(shape)
        to = len(self.program.shapes) - 1
        self.program.steps.append({**step, "from": inputs, "to": to})
        return to


def _place(program: Program, kept: set[int]) -> None:
    """Give every value its place: the first gap that is free from its step to the last that reads it."""
    kept = {program.origin(value) for value in kept}
    ends = {program.origin(value): number for number, step in enumerate(program.steps) for value in step["from"]}
    sizes = [-(-torch.Size(shape).numel() // ALIGNED) * ALIGNED for shape in program.shapes]
    places: dict[int, int] = {0: 0}
    busy = {0}
    for number, step in enumerate(program.steps):
        to = step["to"]
        places[to] = _gap(sorted((places[value], sizes[value]) for value in busy), sizes[to])
        busy = {value for value in busy | {to} if value in kept or ends.get(value, number) > number}
    program.places = [places[program.origin(value)] for value in range(len(program.shapes))]
    program.size = max(at + size for at, size in zip(program.places, sizes, strict=True))


def _gap(taken: list[tuple[int, int]], size: int) -> int:
    free = 0
    for at, length in taken:
        if at - free >= size:
            break
        free = max(free, at + length)
    return free


_Leaf = tuple[Step, dict[str, Tensor | None]]


def _convolution(module: nn.Conv2d) -> _Leaf:
    kernel, dilation = _pair(module.kernel_size), _pair(module.dilation)
    step = {
        "do": "depthwise" if module.groups == module.in_channels == module.out_channels else "convolution",
        "kernel": kernel,
        "stride": _pair(module.stride),
        "dilation": dilation,
        "groups": module.groups,
        "sides": _sides(module, kernel, dilation),
        "border": module.padding_mode,
    }
    return step, {"weight": module.weight, "bias": module.bias}


def _sides(module: nn.Conv2d, kernel: tuple[int, int], dilation: tuple[int, int]) -> tuple[int, ...]:
    """Return the padding: left, right, top, bottom. Of an odd total PyTorch's 'same' puts less on the first side."""
    if isinstance(module, PaddedConv2d):
        return module.sides
    if module.padding == "same":
        totals = [dilation[axis] * (kernel[axis] - 1) for axis in (1, 0)]
        return tuple(side for total in totals for side in (total // 2, total - total // 2))
    rows, columns = (0, 0) if module.padding == "valid" else _pair(module.padding)
    return columns, columns, rows, rows


def _linear(module: nn.Linear) -> _Leaf:
    return {"do": "linear"}, {"weight": module.weight, "bias": module.bias}


def _batch_norm(module: nn.BatchNorm2d) -> _Leaf:
    """In evaluation mode a batch norm is a factor and an offset for each channel."""
    assert module.running_mean is not None and module.running_var is not None
    scale = (module.running_var.double() + module.eps).rsqrt()
    if module.weight is not None:
        scale = scale * module.weight.double()
    offset = -module.running_mean.double() * scale
    if module.bias is not None:
        offset = offset + module.bias.double()
    return {"do": "scale"}, {"factor": scale, "offset": offset}


def _layer_scale(module: LayerScale) -> _Leaf:
    return {"do": "scale"}, {"factor": module.weight, "offset": torch.zeros_like(module.weight)}


def _group_norm(module: nn.GroupNorm) -> _Leaf:
    step = {"do": "normalise", "groups": module.num_groups, "eps": module.eps, "each": "channel"}
    return step, {"factor": module.weight, "offset": module.bias}


def _layer_norm(module: nn.LayerNorm) -> _Leaf:
    step = {"do": "normalise", "groups": 1, "eps": module.eps, "each": "number"}
    return step, {"factor": module.weight, "offset": module.bias}


def _position_norm(module: LayerNorm2d) -> _Leaf:
    return {"do": "normalise each position", "eps": module.eps}, {"factor": module.weight, "offset": module.bias}


def _function(name: str) -> Callable[[nn.Module], _Leaf]:
    return lambda module: ({"do": "function", "name": name}, {})


def _pool(module: MaxPool2d | nn.AvgPool2d) -> _Leaf:
    is_max = isinstance(module, MaxPool2d)
    step = {
        "do": "pool",
        "what": "largest" if is_max else "mean",
        "kernel": _pair(module.kernel_size),
        "stride": _pair(module.stride),
        "padding": _pair(module.padding),
        "dilation": _pair(module.dilation) if isinstance(module, MaxPool2d) else (1, 1),
        "counts_padding": isinstance(module, nn.AvgPool2d) and module.count_include_pad,
    }
    return step, {}


def _adaptive(what: str) -> Callable[[nn.Module], _Leaf]:
    return lambda module: ({"do": "pool", "what": what}, {})


def _pair(size: Any) -> tuple[int, int]:
    return pair(cast("int | tuple[int, int]", size))


_STEPS: dict[type[nn.Module], Callable[[Any], _Leaf]] = {
    nn.Conv2d: _convolution,
    PaddedConv2d: _convolution,
    nn.Linear: _linear,
    nn.BatchNorm1d: _batch_norm,
    nn.BatchNorm2d: _batch_norm,
    LayerScale: _layer_scale,
    nn.GroupNorm: _group_norm,
    nn.LayerNorm: _layer_norm,
    LayerNorm2d: _position_norm,
    MaxPool2d: _pool,
    nn.AvgPool2d: _pool,
    nn.AdaptiveAvgPool2d: _adaptive("mean"),
    nn.AdaptiveMaxPool2d: _adaptive("largest"),
    Resize: lambda module: ({"do": "resize"}, {}),
    nn.Softmax: lambda module: ({"do": "softmax"}, {}),
    nn.ReLU: _function("relu"),
    nn.ReLU6: _function("relu6"),
    nn.LeakyReLU: _function("leaky relu"),
    nn.GELU: _function("gelu"),
    nn.SiLU: _function("silu"),
    nn.Hardswish: _function("hard swish"),
    nn.ELU: _function("elu"),
    nn.Tanh: _function("tanh"),
    nn.Sigmoid: _function("sigmoid"),
    nn.Hardsigmoid: _function("hard sigmoid"),
}
