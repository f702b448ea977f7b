"""Architectures as named lists of layers, and their shapes and costs layer by layer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import prod
from typing import Annotated

from pydantic import BaseModel, ConfigDict, FailFast, Field, model_validator

from cnnlab.errors import CnnLabError
from cnnlab.networks.layers import Chain, Layer, LayerError, Shape
from cnnlab.networks.receptive_field import ReceptiveField

BYTES_PER_NUMBER = 4  # float32
_ONE_PIXEL = ReceptiveField()
MAX_LAYERS = 200

Place = tuple[int, ...]  # a layer's number in the list; within a block: the block's place, branch, number


class ArchitectureError(CnnLabError, ValueError):
    """Report an architecture that cannot be built; the message names the layer and what to change."""


class Draft(BaseModel):
    """Hold a named list of layers that may not work yet. Sizes are inferred from the images and the classes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$")]
    title: Annotated[str, Field(max_length=80)]
    description: Annotated[str, Field(max_length=400)] = ""
    layers: Annotated[tuple[Layer, ...], FailFast(), Field(max_length=MAX_LAYERS)]

    @property
    def named_layers(self) -> list[tuple[str, Layer]]:
        """List the layers with their names; unnamed ones are counted by kind: conv1, relu1, pool1, …"""
        seen: Counter[str] = Counter()
        named = []
        for layer in self.layers:
            seen[layer.stem] += 1
            named.append((layer.name or f"{layer.stem}{seen[layer.stem]}", layer))
        return named


class Architecture(Draft):
    """Hold a draft that can be trained: it ends in logits and names each layer once."""

    @model_validator(mode="after")
    def _can_be_built(self) -> Architecture:
        if problem := ending_problem(self.layers):
            raise ValueError(problem)
        names = Counter(name for name, _ in self.named_layers)
        twice = [name for name, count in names.items() if count > 1]
        if twice:
            raise ValueError(name_problem(twice[0]))
        return self


def ending_problem(layers: Chain) -> str:
    """Explain why a list does not end in logits; empty if it does. A softmax after them is unwise but works."""
    last = next((layer for layer in reversed(layers) if not layer.may_follow_logits), None)
    if last and last.gives_logits:
        return ""
    return "the last layer must be linear with out_features 'classes': it gives the logits"


def name_problem(name: str) -> str:
    """Explain that two layers have the same name."""
    return f"two layers are named {name!r}: every name must be unique"


@dataclass(frozen=True)
class LayerSummary:
    """Hold one layer's shapes and costs for one image; they are unknown after a layer that does not fit."""

    place: Place
    name: str  # as in the built network: conv1, block1.body.0
    layer: Layer
    is_own: bool  # False within a block where the block itself decides
    problem: str = ""
    input_shape: Shape = ()  # empty if unknown
    output_shape: Shape = ()
    parameters: int = 0
    macs: int = 0
    field: ReceptiveField = _ONE_PIXEL
    activation_bytes: int = 0  # float32 output for one image, and what lies within the layer: kept for training
    peak_bytes: int = 0  # in memory at once for one image where nothing is kept

    @property
    def kind(self) -> str:
        return self.layer.kind

    @property
    def receptive_field(self) -> tuple[int, int]:
        """Return height and width in pixels of the input image."""
        return self.field.whole_size


def follow(draft: Draft, input_shape: Shape, classes: int) -> list[LayerSummary]:
    """Summarise each layer, blocks before their inner layers, for images of ``input_shape`` = (C, H, W).

    The row of a layer that does not fit says why; the shapes and costs after it are unknown.
    """
    walk = _Walk(input_shape, classes)
    named = [((number,), name, layer) for number, (name, layer) in enumerate(draft.named_layers)]
    walk.chain(named, input_shape, _ONE_PIXEL)
    return _with_problems_of_the_list(draft, walk.rows)


def summarise(architecture: Draft, input_shape: Shape, classes: int) -> list[LayerSummary]:
    """Summarise the layers of the list itself, without those inside blocks.

    Raises ArchitectureError, which names the layer, if one does not fit.
    """
    rows = follow(architecture, input_shape, classes)
    for row in rows:
        if row.problem:
            raise ArchitectureError(f"Layer {row.place[0] + 1} ({row.name}): {row.problem}.")
    return [row for row in rows if len(row.place) == 1]


def norm_over_images(architecture: Draft, input_shape: Shape, classes: int) -> str:
    """Return the name of the first batch norm that gets one number for each image and channel; empty if none does.

    Such a norm cannot train on a batch of a single image.
    """
    for row in follow(architecture, input_shape, classes):
        if row.layer.uses_batch_statistics and row.input_shape and prod(row.input_shape[1:]) == 1:
            return row.name
    return ""


def receptive_fields(architecture: Architecture, input_shape: Shape, classes: int) -> dict[str, ReceptiveField]:
    """Return the receptive field of every module of the built network, inside blocks too, by its name there."""
    return {row.name: row.field for row in follow(architecture, input_shape, classes)}


def _with_problems_of_the_list(draft: Draft, rows: list[LayerSummary]) -> list[LayerSummary]:
    """Add the problems of the whole list: a repeated name at its second layer, an end without logits at the last."""
    names: set[str] = set()
    noted = []
    for row in rows:
        problem = name_problem(row.name) if row.name in names else ""
        if row.place == (len(draft.layers) - 1,):
            problem = problem or ending_problem(draft.layers)
        names.add(row.name)
        noted.append(replace(row, problem=row.problem or problem))
    return noted


class _Walk:
    """Follow an image through layers and the blocks among them."""

    def __init__(self, image: Shape, classes: int) -> None:
        self.image, self.classes = image, classes
        self.rows: list[LayerSummary] = []

    def chain(
        self,
        named: Iterable[tuple[Place, str, Layer]],
        shape: Shape | None,
        field: ReceptiveField,
        is_own: bool = True,
    ) -> bool:
        """Add the rows of one chain. Returns whether all its layers fit."""
        for place, name, layer in named:
            row = self._row(LayerSummary(place, name, layer, is_own), shape, field)
            shape, field = row.output_shape or None, row.field
        return shape is not None

    def _row(self, row: LayerSummary, shape: Shape | None, field: ReceptiveField) -> LayerSummary:
        index = len(self.rows)
        self.rows.append(row)
        fits_inside = self._within(row, shape, field)
        if shape is not None:
            self.rows[index] = self._followed(row, shape, field, fits_inside)
        return self.rows[index]

    def _within(self, row: LayerSummary, shape: Shape | None, field: ReceptiveField) -> bool:
        """Add the rows of a block's chains. Returns whether all fit.

        Chains that the block derives from its input have rows only if the block fits.
        """
        layer, fits = row.layer, True
        try:
            branches = layer.chains if shape is None else layer.branches(shape, self.classes)
        except LayerError:
            branches = layer.chains
        for number, (name, chain) in enumerate(branches.items()):
            prefix = ".".join(filter(None, (row.name, name)))
            named = [((*row.place, number, index), f"{prefix}.{index}", inner) for index, inner in enumerate(chain)]
            fits = self.chain(named, shape, field, row.is_own and name in layer.chains) and fits
        return fits

    def _followed(self, row: LayerSummary, shape: Shape, field: ReceptiveField, fits_inside: bool) -> LayerSummary:
        layer, classes = row.layer, self.classes
        try:
            out = layer.output_shape(shape, classes)
        except LayerError as error:
            problem = str(error) if fits_inside else ""
            return replace(row, problem=problem, input_shape=shape)
        return replace(
            row,
            input_shape=shape,
            output_shape=out,
            parameters=layer.parameters(shape, classes),
            macs=layer.macs(shape, classes),
            field=field.through(layer.windows(shape), self.image),
            activation_bytes=layer.activations(shape, classes) * BYTES_PER_NUMBER,
            peak_bytes=layer.peak(shape, classes) * BYTES_PER_NUMBER,
        )
