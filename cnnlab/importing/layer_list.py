"""An ONNX graph as a layer list with weights, by the structure of its nodes, whatever their names."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import Literal

import torch
from pydantic import ValidationError
from torch import Tensor

from cnnlab.errors import first_error
from cnnlab.importing.chain import ChainBuilder, Scale
from cnnlab.importing.foreign_file import ForeignError, read_as_untrusted
from cnnlab.importing.joining import Parts
from cnnlab.importing.onnx_graph import WITHOUT_EFFECT, Graph, Node
from cnnlab.importing.parts import Part
from cnnlab.importing.structure import structure_of
from cnnlab.networks.architecture import Architecture
from cnnlab.networks.designs import name_of
from cnnlab.networks.layers import Flatten, Linear, Shape, shown

Gives = Literal["logits", "probabilities", "log-probabilities"]
_ENDS: dict[str, Gives] = {"Softmax": "probabilities", "LogSoftmax": "log-probabilities"}


@dataclass(frozen=True)
class Found:
    """The layers of a file, the scale of its input, and what it gives."""

    parts: Parts
    scale: Scale | None
    gives: Gives
    classes: int


def layers_of(graph: Graph, shape: Shape, classes: int | None = None) -> Found:
    """Convert a network for images of ``shape`` = (C, H, W), which has so many ``classes``, or any number.

    Raises ForeignError, which names the node, if one fits no layer, or the network takes other images or has other
    classes.
    """
    with read_as_untrusted():
        return _layers(graph, shape, classes)


def _layers(graph: Graph, shape: Shape, classes: int | None) -> Found:
    sides = zip(graph.shape[1:], shape, strict=True)
    if any(own is not None and own != side for own, side in sides):
        told = "×".join("any" if side is None else str(side) for side in graph.shape[1:])
        raise ForeignError(f"the network takes images of {told}, and the data set has {shown(shape)}: choose another")
    way = structure_of(graph)
    while way and isinstance(way[-1], Node) and way[-1].op in WITHOUT_EFFECT:
        way = way[:-1]
    last = way[-1] if way else None
    gives = _ENDS.get(last.op, "logits") if isinstance(last, Node) else "logits"
    chain = ChainBuilder(graph, shape, classes or 0, scale=Scale(torch.ones(shape[0]), torch.zeros(shape[0])))
    chain.take(way if gives == "logits" else way[:-1])
    classes = classes or prod(chain.shape)
    return Found(_with_logits(chain, classes), chain.noted_scale, gives, classes)


def _with_logits(chain: ChainBuilder, classes: int) -> Parts:
    """End the list in the linear layer that gives the logits; one that changes nothing where the file has another."""
    parts, shape = chain.parts, chain.shape
    if len(shape) == 3:
        parts, shape = [*parts, Part(Flatten())], (prod(shape),)
    if shape != (classes,):
        raise ForeignError(
            f"the network tells {shape[0]} classes apart, and the data set has {classes}: choose another"
        )
    last = next((at for at in range(len(parts) - 1, -1, -1) if not parts[at].layer.may_follow_logits), 0)
    layer = parts[last].layer if parts else None
    if isinstance(layer, Linear):
        logits = layer.model_copy(update={"out_features": "classes"})
        return [*parts[:last], replace(parts[last], layer=logits), *parts[last + 1 :]]
    return [*parts, Part(Linear(out_features="classes", bias=False), {"weight": torch.eye(classes)})]


def named(parts: Parts, title: str) -> tuple[Architecture, dict[str, Tensor]]:
    """Return parts as a layer list, and their tensors by the names of its layers.

    Raises ForeignError where the list is longer than lists here may be.
    """
    try:
        architecture = Architecture(name=name_of(title), title=title, layers=tuple(part.layer for part in parts))
    except ValidationError as error:
        raise ForeignError(f"the network is none that can be built here: {first_error(error)}") from error
    names = [name for name, _ in architecture.named_layers]
    return architecture, {
        f"{name}.{inner}": value
        for name, part in zip(names, parts, strict=True)
        for inner, value in part.tensors.items()
    }
