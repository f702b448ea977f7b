"""The bricks of an architecture: each layer as validated data that knows its own shapes and costs.

A layer is described without sizes that follow from its input: channels and features flowing in are
inferred. Shapes leave out the batch: ``(channels, height, width)`` or ``(features,)``.
"""

from __future__ import annotations

from math import ceil, prod
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, FailFast, Field, field_validator

Shape = tuple[int, ...]
Window = tuple[tuple[int, int], tuple[int, int], tuple[int, int], tuple[int, int]]  # kernel, stride, dilation, padding

Size = Annotated[int, Field(ge=1, le=64)]
Border = Annotated[int, Field(ge=0, le=64)]
Channels = Annotated[int, Field(ge=1, le=4096)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
Initialisation = Literal["default", "xavier-uniform", "kaiming-normal"]

MAX_NESTED = 3  # residual blocks within one another
MAX_WITHIN = 60  # layers within a residual block, those of blocks within it included


class LayerError(ValueError):
    """A layer cannot take the input that reaches it; the message says why and what to change."""


def pair(size: int | tuple[int, int]) -> tuple[int, int]:
    """``3`` → ``(3, 3)``; a pair stays as it is."""
    return (size, size) if isinstance(size, int) else size


class _Layer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,39}$")] | None = None

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        """Shape that leaves the layer. Raises LayerError where the layer cannot take ``shape``."""
        return shape

    def parameters(self, shape: Shape, classes: int) -> int:
        """Learned numbers, for an input of ``shape``."""
        return 0

    def macs(self, shape: Shape, classes: int) -> int:
        """Multiply-accumulates for one image; convolutions and linear layers only, bias left out."""
        return 0

    def activations(self, shape: Shape, classes: int) -> int:
        """Numbers it gives for one image, those within it included: what training keeps for the way back."""
        return prod(self.output_shape(shape, classes))

    def windows(self, shape: Shape) -> list[Window] | None:
        """Sliding windows passed on the way through; None where every input reaches every output."""
        return []


def _spatial(shape: Shape, what: str) -> tuple[int, int, int]:
    if len(shape) != 3:
        raise LayerError(f"{what} needs feature maps, but {shape[0]} flat features come in: move it before flatten")
    return shape[0], shape[1], shape[2]


def _slide(size: int, kernel: int, stride: int, padding: int, dilation: int, ceil_mode: bool = False) -> int:
    """Positions of a window along one axis: ⌊(size + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1."""
    span = size + 2 * padding - dilation * (kernel - 1) - 1
    positions = (span + (stride - 1 if ceil_mode else 0)) // stride + 1
    # The last window of a ceil-mode pool must start inside the input or its left padding.
    if ceil_mode and (positions - 1) * stride >= size + padding:
        positions -= 1
    return positions


def _no_fit(what: str, kernel: tuple[int, int], height: int, width: int) -> LayerError:
    return LayerError(
        f"{what} {kernel[0]}×{kernel[1]} does not fit its {height}×{width} input: add padding, or drop a pool before it"
    )


class Conv2d(_Layer):
    """``nn.Conv2d`` with every argument but the inferred ``in_channels``."""

    kind: Literal["conv2d"] = "conv2d"
    out_channels: Channels
    kernel_size: Size | tuple[Size, Size] = 3
    stride: Size | tuple[Size, Size] = 1
    padding: Border | tuple[Border, Border] | Literal["same", "valid"] = 0
    dilation: Size | tuple[Size, Size] = 1
    groups: Channels = 1
    bias: bool = True
    padding_mode: Literal["zeros", "reflect", "replicate", "circular"] = "zeros"
    init: Initialisation = "default"

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        channels, height, width = _spatial(shape, "a convolution")
        if channels % self.groups or self.out_channels % self.groups:
            raise LayerError(
                f"{self.groups} groups must divide both the {channels} channels in and the {self.out_channels} out"
            )
        kernel, stride, dilation, _ = self.windows(shape)[0]
        padding = self._border()
        spare = {"reflect": 1, "circular": 0}.get(self.padding_mode)
        if spare is not None and (padding[0] + spare > height or padding[1] + spare > width):
            raise LayerError(f"{self.padding_mode} padding {padding} is too wide for a {height}×{width} input")
        if self.padding == "same":
            if stride != (1, 1):
                raise LayerError("padding 'same' works only with stride 1")
            return self.out_channels, height, width
        rows = _slide(height, kernel[0], stride[0], padding[0], dilation[0])
        columns = _slide(width, kernel[1], stride[1], padding[1], dilation[1])
        if rows < 1 or columns < 1:
            raise _no_fit("kernel", kernel, height, width)
        return self.out_channels, rows, columns

    def _border(self) -> tuple[int, int]:
        """Padding in rows and columns; where 'same' pads the two sides unequally, the wider side's."""
        if self.padding == "valid":
            return 0, 0
        if self.padding == "same":
            kernel, dilation = pair(self.kernel_size), pair(self.dilation)
            return ceil(dilation[0] * (kernel[0] - 1) / 2), ceil(dilation[1] * (kernel[1] - 1) / 2)
        return pair(self.padding)

    def _weights(self, shape: Shape) -> int:
        return self.out_channels * (shape[0] // self.groups) * prod(pair(self.kernel_size))

    def parameters(self, shape: Shape, classes: int) -> int:
        return self._weights(shape) + self.out_channels * self.bias

    def macs(self, shape: Shape, classes: int) -> int:
        _, rows, columns = self.output_shape(shape, classes)
        return self._weights(shape) * rows * columns

    def windows(self, shape: Shape) -> list[Window]:
        kernel, dilation, padding = pair(self.kernel_size), pair(self.dilation), self._border()
        if self.padding == "same":  # where the two sides differ, PyTorch pads the first one less
            padding = (dilation[0] * (kernel[0] - 1) // 2, dilation[1] * (kernel[1] - 1) // 2)
        return [(kernel, pair(self.stride), dilation, padding)]


class _Pool(_Layer):
    kernel_size: Size | tuple[Size, Size] = 2
    stride: Size | tuple[Size, Size] | None = None  # as in PyTorch, None means the kernel's size
    padding: Border | tuple[Border, Border] = 0
    ceil_mode: bool = False

    def _dilation(self) -> tuple[int, int]:
        return (1, 1)

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        channels, height, width = _spatial(shape, "a pool")
        kernel, stride, dilation, padding = self.windows(shape)[0]
        if padding[0] > kernel[0] // 2 or padding[1] > kernel[1] // 2:
            raise LayerError(f"a pool may be padded by half its {kernel[0]}×{kernel[1]} window at the most")
        rows = _slide(height, kernel[0], stride[0], padding[0], dilation[0], self.ceil_mode)
        columns = _slide(width, kernel[1], stride[1], padding[1], dilation[1], self.ceil_mode)
        if rows < 1 or columns < 1:
            raise _no_fit("pool", kernel, height, width)
        return channels, rows, columns

    def windows(self, shape: Shape) -> list[Window]:
        kernel = pair(self.kernel_size)
        stride = kernel if self.stride is None else pair(self.stride)
        return [(kernel, stride, self._dilation(), pair(self.padding))]


class MaxPool2d(_Pool):
    kind: Literal["max-pool2d"] = "max-pool2d"
    dilation: Size | tuple[Size, Size] = 1

    def _dilation(self) -> tuple[int, int]:
        return pair(self.dilation)


class AvgPool2d(_Pool):
    kind: Literal["avg-pool2d"] = "avg-pool2d"
    count_include_pad: bool = True


class AdaptivePool2d(_Layer):
    """Pools to a fixed size whatever comes in; size 1 with ``avg`` is global average pooling."""

    kind: Literal["adaptive-pool2d"] = "adaptive-pool2d"
    pool: Literal["avg", "max"] = "avg"
    output_size: Size | tuple[Size, Size] = 1

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        return _spatial(shape, "a pool")[0], *pair(self.output_size)

    def windows(self, shape: Shape) -> list[Window]:
        rows, columns = pair(self.output_size)
        kernel = (ceil(shape[1] / rows), ceil(shape[2] / columns))
        stride = (max(1, shape[1] // rows), max(1, shape[2] // columns))
        return [(kernel, stride, (1, 1), (0, 0))]


class BatchNorm2d(_Layer):
    kind: Literal["batch-norm2d"] = "batch-norm2d"
    eps: Annotated[float, Field(gt=0, le=1)] = 1e-5
    momentum: Annotated[float, Field(gt=0, le=1)] = 0.1
    affine: bool = True

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        return _spatial(shape, "2-D batch norm")

    def parameters(self, shape: Shape, classes: int) -> int:
        return 2 * shape[0] * self.affine


class Activation(_Layer):
    kind: Literal["activation"] = "activation"
    function: Literal["relu", "leaky-relu", "gelu", "silu", "elu", "tanh", "sigmoid"] = "relu"


class Dropout(_Layer):
    """Zeroes single numbers, or with ``channels`` whole feature maps, with probability ``p``."""

    kind: Literal["dropout"] = "dropout"
    p: Fraction = 0.5
    channels: bool = False

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        return _spatial(shape, "channel dropout") if self.channels else shape


class Flatten(_Layer):
    kind: Literal["flatten"] = "flatten"

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        return (prod(shape),)


class Linear(_Layer):
    """``nn.Linear``; ``out_features="classes"`` makes it the layer that gives the logits."""

    kind: Literal["linear"] = "linear"
    out_features: Annotated[int, Field(ge=1, le=65536)] | Literal["classes"]
    bias: bool = True
    init: Initialisation = "default"

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        if len(shape) != 1:
            raise LayerError(f"a linear layer needs flat features, but {shape} feature maps come in: flatten first")
        return (classes if self.out_features == "classes" else self.out_features,)

    def parameters(self, shape: Shape, classes: int) -> int:
        (features,) = self.output_shape(shape, classes)
        return features * (shape[0] + self.bias)

    def macs(self, shape: Shape, classes: int) -> int:
        return shape[0] * self.output_shape(shape, classes)[0]

    def windows(self, shape: Shape) -> None:
        return None


class Residual(_Layer):
    """``body(x) + shortcut(x)``, then ReLU (He et al. 2015, arXiv:1512.03385, option B).

    The shortcut is the identity where the body keeps the shape, else a 1×1 convolution with batch norm
    whose stride takes the input to the body's size.
    """

    kind: Literal["residual"] = "residual"
    body: Annotated[tuple[Layer, ...], FailFast(), Field(min_length=1, max_length=20)]

    @field_validator("body")
    @classmethod
    def _is_shallow(cls, body: tuple[Layer, ...]) -> tuple[Layer, ...]:
        """Each level of blocks within blocks doubles the time it takes to follow the shapes."""
        if 1 + _depth(body) > MAX_NESTED:
            raise ValueError(f"residual blocks may be nested {MAX_NESTED} deep at most")
        if _within(body) > MAX_WITHIN:
            raise ValueError(f"a residual block may hold {MAX_WITHIN} layers at most")
        return body

    def projection(self, shape: Shape, classes: int) -> tuple[Layer, ...]:
        """The shortcut's layers for an input of ``shape``; empty for the identity."""
        _, height, width = _spatial(shape, "a residual block")
        out = trace(self.body, shape, classes)[-1]
        if len(out) != 3:
            raise LayerError("a residual block must give feature maps: keep flatten and linear out of its body")
        if out == shape:
            return ()
        stride = (max(1, ceil(height / out[1])), max(1, ceil(width / out[2])))
        layers = (Conv2d(out_channels=out[0], kernel_size=1, stride=stride, bias=False), BatchNorm2d())
        if trace(layers, shape, classes)[-1] != out:
            raise LayerError(f"no 1×1 shortcut takes {shape} to the body's {out}: pad the body's convolutions")
        return layers

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        self.projection(shape, classes)
        return trace(self.body, shape, classes)[-1]

    def _branches(self, shape: Shape, classes: int) -> list[tuple[Layer, Shape]]:
        """Every layer of body and shortcut with the shape that flows into it."""
        branches = (self.body, self.projection(shape, classes))
        return [step for layers in branches for step in zip(layers, trace(layers, shape, classes), strict=False)]

    def parameters(self, shape: Shape, classes: int) -> int:
        return sum(layer.parameters(flowing, classes) for layer, flowing in self._branches(shape, classes))

    def macs(self, shape: Shape, classes: int) -> int:
        return sum(layer.macs(flowing, classes) for layer, flowing in self._branches(shape, classes))

    def activations(self, shape: Shape, classes: int) -> int:
        within = sum(layer.activations(flowing, classes) for layer, flowing in self._branches(shape, classes))
        return within + super().activations(shape, classes)

    def windows(self, shape: Shape) -> list[Window]:
        shapes = trace(self.body, shape, classes=1)
        return [w for layer, flowing in zip(self.body, shapes, strict=False) for w in layer.windows(flowing) or []]


Layer = Annotated[
    Conv2d | MaxPool2d | AvgPool2d | AdaptivePool2d | BatchNorm2d | Activation | Dropout | Flatten | Linear | Residual,
    Field(discriminator="kind"),
]
Residual.model_rebuild()


def _depth(layers: tuple[Layer, ...]) -> int:
    return max((1 + _depth(layer.body) for layer in layers if layer.kind == "residual"), default=0)


def _within(layers: tuple[Layer, ...]) -> int:
    return sum(1 + (_within(layer.body) if layer.kind == "residual" else 0) for layer in layers)


def trace(layers: tuple[Layer, ...], shape: Shape, classes: int) -> list[Shape]:
    """Shapes along a chain of layers: the input's first, then each layer's output."""
    shapes = [shape]
    for layer in layers:
        shapes.append(layer.output_shape(shapes[-1], classes))
    return shapes
