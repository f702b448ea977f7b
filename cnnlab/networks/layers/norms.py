"""Normalisations."""

from __future__ import annotations

from math import prod
from typing import Annotated, Literal

from pydantic import Field

from cnnlab.networks.layers.base import BaseLayer, Call, Channels, LayerError, Shape
from cnnlab.networks.layers.windows import spatial


class _Norm(BaseLayer):
    family = "norm"
    linearity = "passive"
    _stem = "norm"

    eps: Annotated[float, Field(ge=1e-12, le=1)] = 1e-5  # far smaller ones are 0 in 32 bits: NaN without variance
    affine: bool = True  # a learned factor and offset

    def parameters(self, shape: Shape, classes: int) -> int:
        return 2 * self._units(shape) * self.affine

    def parameter_formula(self, shape: Shape, classes: int) -> str:
        return f"2·{self._units(shape):,} = {self.parameters(shape, classes):,}" if self.affine else ""

    def _units(self, shape: Shape) -> int:
        return shape[0]


class _BatchNorm(_Norm):
    uses_batch_statistics = True

    momentum: Annotated[float, Field(gt=0, le=1)] = 0.1


class BatchNorm2d(_BatchNorm):
    """Normalise each channel over the batch: ``nn.BatchNorm2d`` (Ioffe and Szegedy 2015, arXiv:1502.03167)."""

    examples = {"Batch norm": {}}

    kind: Literal["batch-norm2d"] = "batch-norm2d"

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        return spatial(shape, "2-D batch norm")

    def call(self, shape: Shape, classes: int) -> Call:
        return Call("BatchNorm2d", (shape[0],), self._chosen())


class BatchNorm1d(_BatchNorm):
    """Normalise each feature over the batch: ``nn.BatchNorm1d``."""

    examples = {"Batch norm, flat": {}}

    kind: Literal["batch-norm1d"] = "batch-norm1d"

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        if len(shape) != 1:
            raise LayerError(f"1-D batch norm needs flat features, but {shape} feature maps come in: use the 2-D one")
        return shape

    def call(self, shape: Shape, classes: int) -> Call:
        return Call("BatchNorm1d", (shape[0],), self._chosen())


def _single(what: str) -> LayerError:
    """Return the error of a norm over one number: less its own mean it is zero for every image."""
    return LayerError(f"{what}, and the norm makes 0 of each: use fewer groups, put it before the pool, or remove it")


class GroupNorm(_Norm):
    """Normalise groups of channels within each image: ``nn.GroupNorm`` (Wu and He 2018, arXiv:1803.08494)."""

    examples = {"Group norm": {}}

    kind: Literal["group-norm"] = "group-norm"
    groups: Channels = 4

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        if shape[0] % self.groups:
            raise LayerError(f"{self.groups} groups do not divide the {shape[0]} channels")
        if prod(shape) == self.groups:
            raise _single(f"each of its {self.groups} groups holds a single number")
        return shape

    def call(self, shape: Shape, classes: int) -> Call:
        return Call("GroupNorm", (self.groups, shape[0]), self._chosen("groups"))


class LayerNorm(_Norm):
    """Normalise over all numbers of one image: ``nn.LayerNorm`` (Ba et al. 2016, arXiv:1607.06450).

    With ``per_position`` over the channels at each position of the maps (Liu et al. 2022, arXiv:2201.03545).
    """

    examples = {"Layer norm": {}, "Layer norm, each position": {"per_position": True}}

    kind: Literal["layer-norm"] = "layer-norm"
    per_position: bool = False

    @property
    def ends_non_linear(self) -> bool:
        return self.per_position  # each position is divided by a spread of its own

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        if self._units(shape) == 1:
            raise _single("each position holds a single number" if prod(shape) > 1 else "a single number comes in")
        return shape

    def call(self, shape: Shape, classes: int) -> Call:
        chosen = self._chosen("per_position")
        if not chosen.pop("affine", True):
            chosen["elementwise_affine"] = False
        if self.per_position and len(shape) == 3:
            return Call("LayerNorm2d", (shape[0],), chosen)
        return Call("LayerNorm", (shape,), chosen)

    def _units(self, shape: Shape) -> int:
        return shape[0] if self.per_position else prod(shape)
