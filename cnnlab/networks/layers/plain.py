"""Activations, softmax, dropout, flatten, learned factors and linear layers."""

from __future__ import annotations

from math import prod
from typing import Annotated, Literal

from pydantic import Field

from cnnlab.networks.layers.base import (
    BaseLayer,
    Call,
    Fraction,
    Function,
    Initialisation,
    LayerError,
    Shape,
    Spread,
    initialiser,
    shown,
)
from cnnlab.networks.layers.windows import spatial

MODULES: dict[Function, str] = {
    "relu": "ReLU",
    "relu6": "ReLU6",
    "leaky-relu": "LeakyReLU",
    "gelu": "GELU",
    "silu": "SiLU",
    "hard-swish": "Hardswish",
    "elu": "ELU",
    "tanh": "Tanh",
    "sigmoid": "Sigmoid",
    "hard-sigmoid": "Hardsigmoid",
}


class Activation(BaseLayer):
    """Apply a non-linear function to each number."""

    examples = {"Activation": {}}
    family = "activation"
    passes_variance_shift = True

    kind: Literal["activation"] = "activation"
    function: Function = "relu"

    @property
    def stem(self) -> str:
        stem = self.function.replace("-", "_")
        return f"{stem}_" if stem[-1].isdigit() else stem  # relu6_1, relu6_2, …

    @property
    def label(self) -> str:
        return self.function

    @property
    def saturates(self) -> bool:
        return self.function in ("tanh", "sigmoid", "hard-sigmoid")

    def call(self, shape: Shape, classes: int) -> Call:
        return Call(MODULES[self.function])


class Softmax(BaseLayer):
    """Make positive numbers whose sum over channels or features is 1: ``nn.Softmax``."""

    examples = {"Softmax": {}}
    may_follow_logits = True

    kind: Literal["softmax"] = "softmax"

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        if shape[0] == 1:
            raise LayerError("softmax over a single channel or feature always gives 1: remove it")
        return shape

    def call(self, shape: Shape, classes: int) -> Call:
        return Call("Softmax", (), {"dim": 1})


class Dropout(BaseLayer):
    """Zero single numbers, or with ``channels`` whole feature maps, with probability ``p``."""

    examples = {"Dropout": {}, "Dropout of whole maps": {"p": 0.2, "channels": True}}
    linearity = "passive"
    drops_out = True

    kind: Literal["dropout"] = "dropout"
    p: Fraction = 0.5
    channels: bool = False

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        return spatial(shape, "channel dropout") if self.channels else shape

    def call(self, shape: Shape, classes: int) -> Call:
        return Call("Dropout2d" if self.channels else "Dropout", (self.p,))


class Flatten(BaseLayer):
    """Turn feature maps into one row of features."""

    examples = {"Flatten": {}}
    linearity = "passive"
    passes_variance_shift = True

    kind: Literal["flatten"] = "flatten"

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        return (prod(shape),)

    def call(self, shape: Shape, classes: int) -> Call:
        return Call("Flatten")

    def shape_formula(self, shape: Shape, classes: int) -> str:
        return f"{'·'.join(map(str, shape))} = {prod(shape)}"


class LayerScale(BaseLayer):
    """Multiply each channel or feature by a learned factor (Touvron et al. 2021, arXiv:2103.17239).

    A tiny ``initial`` one at the end of a residual block's body lets the block begin as nearly the identity.
    """

    examples = {"Layer scale": {}}
    linearity = "passive"  # as a norm's factors: it mixes nothing
    passes_variance_shift = True
    _stem = "scale"

    kind: Literal["layer-scale"] = "layer-scale"
    initial: Annotated[float, Field(ge=0, le=10)] = 1.0

    def parameters(self, shape: Shape, classes: int) -> int:
        return shape[0]

    def call(self, shape: Shape, classes: int) -> Call:
        return Call("LayerScale", (shape[0],), self._chosen())

    def parameter_formula(self, shape: Shape, classes: int) -> str:
        return f"1·{shape[0]} = {shape[0]:,}"


class Linear(BaseLayer):
    """Describe ``nn.Linear``; ``out_features="classes"`` makes it the layer that gives the logits."""

    examples = {"Linear": {"out_features": 128}, "Logits": {"out_features": "classes"}}
    family = "linear"
    linearity = "weighted"
    passes_variance_shift = True

    kind: Literal["linear"] = "linear"
    out_features: Annotated[int, Field(ge=1, le=65536)] | Literal["classes"]
    bias: bool = True
    init: Initialisation = "default"
    spread: Spread = 0.05

    @property
    def has_bias(self) -> bool:
        return self.bias

    @property
    def gives_logits(self) -> bool:
        return self.out_features == "classes"

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        if len(shape) != 1:
            raise LayerError(f"a linear layer needs flat features, but {shape} feature maps come in: flatten first")
        return (self._features(classes),)

    def _features(self, classes: int) -> int:
        return classes if self.out_features == "classes" else self.out_features

    def parameters(self, shape: Shape, classes: int) -> int:
        (features,) = self.output_shape(shape, classes)
        return features * (shape[0] + self.bias)

    def macs(self, shape: Shape, classes: int) -> int:
        return shape[0] * self.output_shape(shape, classes)[0]

    def call(self, shape: Shape, classes: int) -> Call:
        return Call("Linear", (shape[0], self._features(classes)), self._chosen("out_features"))

    def initial_weights(self) -> Call | None:
        return initialiser(self.init, self.spread)

    def windows(self, shape: Shape) -> None:
        return None

    def shape_formula(self, shape: Shape, classes: int) -> str:
        out = shown(self.output_shape(shape, classes))
        return f"{shape[0]} → {out}, {'one logit for each class' if self.gives_logits else 'as set'}"

    def parameter_formula(self, shape: Shape, classes: int) -> str:
        (features,) = self.output_shape(shape, classes)
        bias = f" + {features}" if self.bias else ""
        return f"{features}·{shape[0]}{bias} = {self.parameters(shape, classes):,}"
