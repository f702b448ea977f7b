"""Architectures as data: the named layer list, the presets, and the summary of what a network costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, FailFast, Field, model_validator

from cnnlab.layers import (
    Activation,
    AdaptivePool2d,
    AvgPool2d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Flatten,
    Layer,
    LayerError,
    Linear,
    MaxPool2d,
    Residual,
    Shape,
    Window,
)

BYTES_PER_NUMBER = 4  # float32

_SHORT_NAME = {"conv2d": "conv", "batch-norm2d": "norm", "linear": "linear", "residual": "block"}


class ArchitectureError(ValueError):
    """An architecture that cannot be built; the message names the layer and what to change."""


class Architecture(BaseModel):
    """A named list of layers. In and out sizes are inferred from the images and the classes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$")]
    title: Annotated[str, Field(max_length=80)]
    description: Annotated[str, Field(max_length=400)] = ""
    layers: Annotated[tuple[Layer, ...], FailFast(), Field(min_length=1, max_length=200)]

    @model_validator(mode="after")
    def _ends_in_logits(self) -> Architecture:
        last = self.layers[-1]
        if last.kind != "linear" or last.out_features != "classes":
            raise ValueError("the last layer must be linear with out_features 'classes': it gives the logits")
        names = Counter(name for name, _ in self.named_layers)
        twice = [name for name, count in names.items() if count > 1]
        if twice:
            raise ValueError(f"two layers are named {twice[0]!r}: every name must be unique")
        return self

    @property
    def named_layers(self) -> list[tuple[str, Layer]]:
        """Layers with their names; those without one are counted by kind: conv1, relu1, pool1, …"""
        seen: Counter[str] = Counter()
        named = []
        for layer in self.layers:
            short = _short_name(layer)
            seen[short] += 1
            named.append((layer.name or f"{short}{seen[short]}", layer))
        return named


def _short_name(layer: Layer) -> str:
    if layer.kind == "activation":
        return layer.function.replace("-", "_")
    if layer.kind.endswith("pool2d"):
        return "pool"
    return _SHORT_NAME.get(layer.kind, layer.kind)


@dataclass(frozen=True)
class ReceptiveField:
    """The pixels of the image that one output sees. Each pair is (rows, columns)."""

    size: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)  # pixels between the fields of neighbouring outputs
    start: tuple[int, int] = (0, 0)  # first pixel of the first output's field; below 0 in the padding

    def through(self, windows: list[Window] | None, input_shape: Shape) -> ReceptiveField:
        """The field behind a layer's windows; the whole image where ``windows`` is None."""
        if windows is None:
            return ReceptiveField(size=(input_shape[1], input_shape[2]), stride=(0, 0))
        field = self
        for window in windows:
            rows, columns = (_slid(field, axis, *(part[axis] for part in window)) for axis in (0, 1))
            size, stride, start = zip(rows, columns, strict=True)
            field = ReceptiveField(size=size, stride=stride, start=start)
        return field

    def box(self, row: int, column: int) -> tuple[int, int, int, int]:
        """(top, left, bottom, right) of the output at ``row``, ``column``; it may reach beyond the image."""
        top, left = self.start[0] + row * self.stride[0], self.start[1] + column * self.stride[1]
        return top, left, top + self.size[0], left + self.size[1]


def _slid(
    field: ReceptiveField, axis: int, kernel: int, stride: int, dilation: int, padding: int
) -> tuple[int, int, int]:
    """Size, stride and start along one axis, behind one window (Araujo et al. 2019, doi:10.23915/distill.00021)."""
    jump = field.stride[axis]
    return field.size[axis] + (kernel - 1) * dilation * jump, jump * stride, field.start[axis] - padding * jump


def receptive_fields(architecture: Architecture, input_shape: Shape, classes: int) -> dict[str, ReceptiveField]:
    """The field of every module of the built network, by its name there, also inside blocks."""
    named: dict[str, ReceptiveField] = {}
    _note_fields(architecture.named_layers, "", ReceptiveField(), (input_shape, input_shape), classes, named)
    return named


def _note_fields(
    layers: Iterable[tuple[str, Layer]],
    prefix: str,
    field: ReceptiveField,
    shapes: tuple[Shape, Shape],  # of the image, and of what flows in here
    classes: int,
    named: dict[str, ReceptiveField],
) -> None:
    image, shape = shapes
    for name, layer in layers:
        if layer.kind == "residual":
            for branch, inner in (("body", layer.body), ("shortcut", layer.projection(shape, classes))):
                steps = ((str(number), step) for number, step in enumerate(inner))
                _note_fields(steps, f"{prefix}{name}.{branch}.", field, (image, shape), classes, named)
        field = field.through(layer.windows(shape), image)
        shape = layer.output_shape(shape, classes)
        named[prefix + name] = field


@dataclass(frozen=True)
class LayerSummary:
    """What one layer does to one image, and what it costs."""

    name: str
    kind: str
    output_shape: Shape
    parameters: int
    macs: int
    receptive_field: tuple[int, int]  # pixels of the input image, height and width
    activation_bytes: int  # float32 output for one image, and what lies within the layer


def summarise(architecture: Architecture, input_shape: Shape, classes: int) -> list[LayerSummary]:
    """One row per layer, for images of ``input_shape`` = (channels, height, width).

    Raises ArchitectureError, naming the layer, where one does not fit.
    """
    rows = []
    shape = input_shape
    field = ReceptiveField()
    for number, (name, layer) in enumerate(architecture.named_layers, start=1):
        try:
            out = layer.output_shape(shape, classes)
        except LayerError as error:
            raise ArchitectureError(f"Layer {number} ({name}): {error}.") from error
        field = field.through(layer.windows(shape), input_shape)
        rows.append(
            LayerSummary(
                name=name,
                kind=layer.kind,
                output_shape=out,
                parameters=layer.parameters(shape, classes),
                macs=layer.macs(shape, classes),
                receptive_field=field.size,
                activation_bytes=layer.activations(shape, classes) * BYTES_PER_NUMBER,
            )
        )
        shape = out
    return rows


_LOGITS = Linear(out_features="classes")
_RELU = Activation()
_POOL = MaxPool2d()


def _conv_norm(channels: int, stride: int = 1) -> list[Layer]:
    return [Conv2d(out_channels=channels, padding=1, stride=stride, bias=False), BatchNorm2d()]


def _conv_pool_norm(channels: int) -> list[Layer]:
    """Pooled before norm and ReLU, which gives much the same features for a quarter of their work."""
    convolution, norm = _conv_norm(channels)
    return [convolution, _POOL, norm, _RELU]


def _stem(channels: int) -> list[Layer]:
    return [Conv2d(out_channels=channels, kernel_size=5, stride=2, padding=2, bias=False), BatchNorm2d(), _RELU]


def _pair(channels: int) -> list[Layer]:
    return [*_conv_norm(channels), _RELU, *_conv_pool_norm(channels)]


def _residual(channels: int, stride: int = 1) -> Residual:
    return Residual(body=(*_conv_norm(channels, stride), _RELU, *_conv_norm(channels)))


_PRESETS = [
    Architecture(
        name="compact",
        title="Compact batch-norm net",
        description="The default: a 5×5 stem of stride 2, then pairs of 3×3 convolutions with batch norm.",
        layers=(*_stem(32), *_pair(64), *_pair(96), Flatten(), _LOGITS),
    ),
    Architecture(
        name="quick",
        title="Quick net",
        description="For the least time: a 5×5 stem of stride 2, then 32 and 64 filters.",
        layers=(*_stem(16), *_conv_pool_norm(32), *_conv_pool_norm(64), Flatten(), _LOGITS),
    ),
    Architecture(
        name="accurate",
        title="Accurate net",
        description="For the highest accuracy: 3×3 convolutions with batch norm throughout, the image at full size.",
        layers=(*_conv_pool_norm(24), *_pair(48), *_pair(96), Flatten(), _LOGITS),
    ),
    Architecture(
        name="basic-cnn",
        title="Basic CNN",
        description="Tutorial: two 3×3 convolutions of 8 and 16 filters and one linear layer.",
        layers=(
            *(layer for width in (8, 16) for layer in (Conv2d(out_channels=width, padding=1), _RELU, _POOL)),
            Flatten(),
            _LOGITS,
        ),
    ),
    Architecture(
        name="classification-snippet",
        title="Image-classification snippet",
        description="Tutorial: as the basic CNN with 16 and 32 filters.",
        layers=(
            *(layer for width in (16, 32) for layer in (Conv2d(out_channels=width, padding=1), _RELU, _POOL)),
            Flatten(),
            _LOGITS,
        ),
    ),
    Architecture(
        name="seven-step-mnist",
        title="Seven-step MNIST",
        description="Tutorial: LeNet-like, 5×5 convolutions of 20 and 50 filters, 500 hidden units, dropout.",
        layers=(
            *(layer for width in (20, 50) for layer in (Conv2d(out_channels=width, kernel_size=5), _RELU, _POOL)),
            Flatten(),
            Linear(out_features=500),
            _RELU,
            Dropout(p=0.5),
            _LOGITS,
        ),
    ),
    Architecture(
        name="fashion-part-3",
        title="Fashion-MNIST, part 3",
        description="Tutorial: pairs of 3×3 and of 5×5 convolutions, then 256 and 128 hidden units.",
        layers=(
            *(
                layer
                for width, kernel in ((16, 3), (32, 5))
                for layer in (*(Conv2d(out_channels=width, kernel_size=kernel), _RELU) * 2, _POOL)
            ),
            Flatten(),
            Linear(out_features=256),
            _RELU,
            Linear(out_features=128),
            _RELU,
            _LOGITS,
        ),
    ),
    Architecture(
        name="conv2d-tour",
        title="Conv2d tour",
        description="Tutorial: 32, 64 and 128 filters, the third pool padded, 625 hidden units, Xavier linears.",
        layers=(
            *(
                layer
                for width, padding in ((32, 0), (64, 0), (128, 1))
                for layer in (Conv2d(out_channels=width, padding=1), _RELU, MaxPool2d(padding=padding))
            ),
            Flatten(),
            Linear(out_features=625, init="xavier-uniform"),
            _RELU,
            Linear(out_features="classes", init="xavier-uniform"),
        ),
    ),
    Architecture(
        name="lenet-5",
        title="LeNet-5",
        description="LeCun et al. 1998: tanh and average pools, 61,706 parameters on 28×28 digits.",
        layers=(
            Conv2d(out_channels=6, kernel_size=5, padding=2),
            Activation(function="tanh"),
            AvgPool2d(),
            Conv2d(out_channels=16, kernel_size=5),
            Activation(function="tanh"),
            AvgPool2d(),
            Flatten(),
            Linear(out_features=120),
            Activation(function="tanh"),
            Linear(out_features=84),
            Activation(function="tanh"),
            _LOGITS,
        ),
    ),
    Architecture(
        name="small-vgg",
        title="Small VGG",
        description="Simonyan and Zisserman 2014 in small: pairs of 3×3 convolutions, then a pool, three times.",
        layers=(
            *(layer for width in (32, 64, 128) for layer in (*(*_conv_norm(width), _RELU) * 2, _POOL)),
            Flatten(),
            Dropout(p=0.5),
            Linear(out_features=128),
            _RELU,
            _LOGITS,
        ),
    ),
    Architecture(
        name="small-resnet",
        title="Small ResNet",
        description="He et al. 2015 in small: a stem and three stages of two residual blocks, global average pool.",
        layers=(
            *_conv_norm(16),
            _RELU,
            _residual(16),
            _residual(16),
            _residual(32, stride=2),
            _residual(32),
            _residual(64, stride=2),
            _residual(64),
            AdaptivePool2d(),
            Flatten(),
            _LOGITS,
        ),
    ),
]
PRESETS: dict[str, Architecture] = {preset.name: preset for preset in _PRESETS}
