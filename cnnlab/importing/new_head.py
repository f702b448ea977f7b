"""A network that tells other classes apart, with a new last layer for the classes of a data set."""

from __future__ import annotations

from dataclasses import replace

from pydantic import ValidationError

from cnnlab.data.loading import Data
from cnnlab.data.spec import DatasetSpec
from cnnlab.errors import first_error
from cnnlab.importing.foreign_file import ForeignError
from cnnlab.importing.layer_list import layers_of, named
from cnnlab.importing.onnx_graph import Graph
from cnnlab.importing.parts import Part
from cnnlab.importing.taking import Normalise, Taken, built, of_layers
from cnnlab.networks.architecture import Architecture
from cnnlab.networks.build import build
from cnnlab.networks.layers import Chain, Linear, Resize, Shape, shown
from cnnlab.pretrained.weights import PretrainedError, take_weights

UNTOLD: Normalise = "imagenet"  # what most networks are trained on: an untrained layer cannot tell which scale is right
_COLOURS = {1: "grey", 3: "colour"}


def with_new_head(graph: Graph, title: str, data: Data, normalise: Normalise, side: int | None) -> Taken:
    """Take in an ONNX file for images of its own size and the classes it has, then put a new last layer in.

    ``side`` is that of the square images where the file takes any; without it they are the data set's. Images are
    resized where the data set has others. Grey ones go to the sum of the first weights of a file for colour ones.
    Raises ForeignError where the file cannot be taken in, ArchitectureError where its layers do not fit the images.
    """
    shape = _shape(graph, data.spec, side)
    found = layers_of(graph, shape)
    own = replace(data, spec=_own_spec(data.spec, shape, found.classes))
    taken = of_layers(graph, found, title, own, (normalise,))
    architecture, head = _with_head(taken.architecture, _resizing(shape, data.spec.shape))
    weights = taken.trained.network.state_dict()
    network = build(architecture, data.spec.shape, len(data.spec.classes))
    try:
        fitting = take_weights(network, {name: weights[name] for name in weights if not name.startswith(f"{head}.")})
    except PretrainedError:
        fitting = []
    names = [name for name, _ in architecture.named_layers]
    if other := next((name for name in names[: names.index(head)] if name not in fitting), ""):
        raise ForeignError(
            f"the network begins in a way that grey pictures do not fit ({other} is for colours): choose a data set in "
            "colour"
        )
    ready = built(architecture, network.state_dict(), data.spec, taken.normalise)
    return replace(ready, difference=taken.difference, new_head=head)


def _shape(graph: Graph, spec: DatasetSpec, side: int | None) -> Shape:
    """Return the images to take the file in for. Raises ForeignError where the data set's cannot become such."""
    _, channels, *sides = graph.shape
    if channels not in (None, spec.shape[0], 3):
        raise ForeignError(
            f"the network takes {_COLOURS.get(channels, f'{channels}-channel')} images, and those of {spec.title} are "
            f"{_COLOURS.get(spec.shape[0], 'others')}: choose another data set"
        )
    if side and any(own not in (None, side) for own in sides):
        told = "×".join("any" if own is None else str(own) for own in sides)
        raise ForeignError(
            f"the network takes images of {told} pixels alone: leave the side out, or export it for {side} pixels"
        )
    rows, columns = (own or side or default for own, default in zip(sides, spec.shape[1:], strict=True))
    return channels or spec.shape[0], rows, columns


def _own_spec(spec: DatasetSpec, shape: Shape, classes: int) -> DatasetSpec:
    """Describe a data set's images as the file takes them: grey ones as copies, of as many classes as it has."""
    copies = shape[0] // spec.shape[0]
    names = tuple(map(str, range(classes)))
    return replace(spec, shape=shape, classes=names, mean=spec.mean * copies, std=spec.std * copies)


def _resizing(shape: Shape, given: Shape) -> Chain:
    """Return what comes first, so that images ``given`` have the rows and columns of ``shape``."""
    if shape[1:] == given[1:]:
        return ()
    if shape[1] != shape[2]:
        raise ForeignError(
            f"the network takes images of {shown(shape)}, and images are resized to squares alone: export it for a "
            "square"
        )
    try:
        return (Resize(size=shape[1]),)
    except ValidationError as error:
        raise ForeignError(f"the side of images cannot be {shape[1]} pixels: {first_error(error)}") from error


def _with_head(architecture: Architecture, first: Chain) -> tuple[Architecture, str]:
    """Put ``first`` before all layers, and a new layer in place of the one that gives the logits; return its name."""
    layers = [Linear(out_features="classes") if layer.gives_logits else layer for layer in architecture.layers]
    made, _ = named([Part(layer) for layer in (*first, *layers)], architecture.title)
    return made, next(name for name, layer in made.named_layers if layer.gives_logits)
