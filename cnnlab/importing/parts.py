"""Layers with their numbers, as nodes become them one by one: a part for each kind of node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import sqrt
from typing import Any

import numpy as np
import torch
from pydantic import ValidationError
from torch import Tensor

from cnnlab.errors import first_error
from cnnlab.importing.onnx_graph import Graph, Node, Numbers, refused
from cnnlab.importing.structure import axes_of, over_positions
from cnnlab.networks.layers import (
    Activation,
    AdaptivePool2d,
    BatchNorm1d,
    BatchNorm2d,
    Conv2d,
    Flatten,
    GroupNorm,
    Layer,
    LayerNorm,
    Linear,
    Resize,
    Shape,
    Softmax,
)

EPS = 1e-5


@dataclass(frozen=True)
class Part:
    """A layer, and its tensors by their names within its module."""

    layer: Layer
    tensors: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """Where in the network a node stands."""

    graph: Graph
    shape: Shape  # of what comes in, without the batch
    classes: int
    channels_last: bool = False  # positions before channels, as between two transpositions
    border: tuple[str, tuple[int, int, int, int]] | None = None  # mode, and pixels: top, left, bottom, right


def tensor(numbers: Numbers) -> Tensor:
    """Return numbers as the weights that networks here have."""
    return torch.from_numpy(np.array(numbers, np.float32))


def made(node: Node, make: Callable[..., Layer], **settings: Any) -> Layer:
    """Make a layer. Raises ForeignError where its settings are beyond what the layer takes."""
    try:
        return make(**settings)
    except ValidationError as error:
        raise refused(node, f"has settings that the layer here does not take ({first_error(error)})") from error


def whole(node: Node, place: Place) -> list[Part]:
    """Convert a pool over all positions."""
    if node.op.startswith("Reduce") and not over_positions(place.graph, node):
        raise refused(node, f"reduces the axes {axes_of(place.graph, node)}, and layers here only rows and columns")
    kind = "max" if "Max" in node.op else "avg"
    parts = [Part(made(node, AdaptivePool2d, pool=kind))]
    return parts if node.settings.get("keepdims", 1) else [*parts, Part(Flatten())]


def batch_norm(node: Node, place: Place) -> Part:
    """Convert a batch norm in the state of answering."""
    if node.settings.get("training_mode"):
        raise refused(node, "normalises by the batch that it is given: write the network after model.eval()")
    values = [place.graph.weight(node, number) for number in range(1, 5)]
    kind = BatchNorm2d if len(place.shape) == 3 else BatchNorm1d
    layer = made(node, kind, eps=_rounded(node.settings.get("epsilon", EPS)))
    names = ("weight", "bias", "running_mean", "running_var")
    if any(value is None or value.shape != (place.shape[0],) for value in values):
        raise refused(node, f"has other numbers than one for each of the {place.shape[0]} channels")
    tensors = {name: tensor(value) for name, value in zip(names, values, strict=True) if value is not None}
    return Part(layer, tensors | {"num_batches_tracked": torch.tensor(0)})


def affine(shape: Shape, factor: Tensor, offset: Tensor) -> Part:
    """Return factor and offset for each channel as a batch norm whose mean is 0 and whose variance is 1."""
    return Part(
        BatchNorm2d() if len(shape) == 3 else BatchNorm1d(),
        {
            "weight": factor * sqrt(1 + EPS),
            "bias": offset,
            "running_mean": torch.zeros(shape[0]),
            "running_var": torch.ones(shape[0]),
            "num_batches_tracked": torch.tensor(0),
        },
    )


def layer_norm(node: Node, place: Place) -> Part:
    """Convert a norm over one image, or over the channels of each position."""
    weight, bias = place.graph.weight(node, 1), place.graph.weight(node, 2)
    rank = len(place.shape) + 1
    axis = node.settings.get("axis", -1) % rank
    per_position = place.channels_last and axis == rank - 1
    if weight is None or not (per_position or (axis == 1 and not place.channels_last)):
        raise refused(node, "normalises over other axes than a whole image or the channels of a position")
    layer = made(node, LayerNorm, per_position=per_position, eps=_rounded(node.settings.get("epsilon", EPS)))
    offset = np.zeros_like(weight) if bias is None else bias
    return Part(layer, {"weight": tensor(weight), "bias": tensor(offset)})


def group_norm(node: Node, place: Place, groups: int, weight: Numbers | None, bias: Numbers | None) -> Part:
    """Convert a norm over groups of channels."""
    layer = made(node, GroupNorm, groups=groups, eps=_rounded(node.settings.get("epsilon", EPS)))
    ones = np.ones(place.shape[0]) if weight is None else weight
    return Part(layer, {"weight": tensor(ones), "bias": tensor(np.zeros(place.shape[0]) if bias is None else bias)})


def _rounded(number: float) -> float:
    """Return a setting as it was written before it became 32 bits: 9.9999997e-06 → 1e-05."""
    return float(f"{number:.6g}")


def linear(node: Node, place: Place) -> Part:
    """Convert a product with a matrix: of flat features, or at each position where channels are last."""
    graph, settings = place.graph, node.settings
    weight, bias = graph.weight(node, 1), graph.weight(node, 2)
    if weight is None or weight.ndim != 2 or settings.get("transA") or graph.constant(node.inputs[0]) is not None:
        raise refused(node, "is no product of the features with a matrix of weights")
    weight = settings.get("alpha", 1.0) * (weight if settings.get("transB") else weight.T)
    tensors = {"weight": tensor(weight)}
    if bias is not None:
        tensors["bias"] = tensor(settings.get("beta", 1.0) * np.broadcast_to(bias.reshape(-1), weight.shape[:1]))
    if weight.shape[1] != place.shape[0] or (len(place.shape) != 1 and not place.channels_last):
        raise refused(node, f"takes {weight.shape[1]} flat features, but {place.shape} come in")
    if place.channels_last:
        tensors["weight"] = tensors["weight"][..., None, None]
        return Part(made(node, Conv2d, out_channels=len(weight), kernel_size=1, bias=bias is not None), tensors)
    return Part(made(node, Linear, out_features=len(weight), bias=bias is not None), tensors)


def activation(node: Node, place: Place) -> Part:
    """Convert a function of each number. Raises ForeignError where it is another than those here."""
    given = node.settings
    match node.op:
        case "Clip":
            bounds = [_bound(node, place.graph, number, name) for number, name in ((1, "min"), (2, "max"))]
            function = "relu6" if bounds == [0, 6] else "relu" if bounds == [0, None] else ""
        case "LeakyRelu":
            function = "leaky-relu" if _is(given.get("alpha", 0.01), 0.01) else ""
        case "Elu":
            function = "elu" if _is(given.get("alpha", 1.0), 1) else ""
        case "HardSigmoid":
            is_ours = _is(given.get("alpha", 0.2), 1 / 6) and _is(given.get("beta", 0.5), 0.5)
            function = "hard-sigmoid" if is_ours else ""
        case "Gelu":
            function = "gelu" if given.get("approximate", b"none") == b"none" else ""
        case _:
            names = {"Relu": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "HardSwish": "hard-swish"}
            function = names.get(node.op, "")
    if not function:
        raise refused(node, "is another function than those that layers here have: take ReLU, say, and train it again")
    return Part(made(node, Activation, function=function))


def _bound(node: Node, graph: Graph, number: int, name: str) -> float | None:
    value = graph.weight(node, number) if len(node.inputs) > 1 else node.settings.get(name)
    return None if value is None else float(np.asarray(value).reshape(-1)[0])


def _is(value: float, wanted: float) -> bool:
    return abs(value - wanted) < 1e-6


def softmax(node: Node, place: Place) -> Part:
    """Convert a softmax over channels or features."""
    rank = len(place.shape) + 1
    if node.op != "Softmax" or node.settings.get("axis", -1) % rank != 1:
        raise refused(node, "is a softmax over other numbers than channels or features")
    return Part(Softmax())


def resize(node: Node, place: Place) -> Part:
    """Convert linear interpolation to a square, smoothed where it shrinks."""
    given = node.settings
    way = given.get("mode"), given.get("coordinate_transformation_mode", b"half_pixel")
    sizes = _sizes(node, place)
    shrinks = any(size < side for size, side in zip(sizes, place.shape[1:], strict=False))
    if way not in ((b"linear", b"half_pixel"), (b"linear", b"pytorch_half_pixel")) or len(set(sizes)) != 1:
        raise refused(node, "resizes in another way than linear interpolation to a square")
    if shrinks and not given.get("antialias"):
        raise refused(node, "shrinks maps without smoothing them, which no layer here does: pool instead")
    return Part(made(node, Resize, size=sizes[0]))


def _sizes(node: Node, place: Place) -> list[int]:
    """Return the rows and columns that a Resize gives; none where they cannot be told."""
    graph = place.graph
    if len(node.inputs) > 3 and node.inputs[3]:
        inner = graph.nodes.get(node.inputs[3])
        sizes = graph.constant(node.inputs[3])
        if sizes is None and inner and inner.op == "Concat":
            sizes = graph.constant(inner.inputs[-1])
        return [] if sizes is None else [int(size) for size in sizes.reshape(-1)[-2:]]
    factors = graph.weight(node, 2)
    factors = np.ones(2) if factors is None or factors.size < 2 else factors
    return [int(side * factor) for side, factor in zip(place.shape[1:], factors[-2:], strict=True)]
