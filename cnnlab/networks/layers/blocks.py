"""Blocks: layers that hold chains of others, all fed with what flows in, and merge what these give."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from math import ceil, prod
from typing import Annotated, Literal

from pydantic import FailFast, Field, field_validator

from cnnlab.networks.layers.base import (
    BaseLayer,
    Border,
    Channels,
    Function,
    LayerError,
    Shape,
    Size,
    Window,
    shown,
    spatial,
)
from cnnlab.networks.layers.convolution import Conv2d
from cnnlab.networks.layers.norms import BatchNorm1d, BatchNorm2d, GroupNorm, LayerNorm
from cnnlab.networks.layers.plain import Activation, Dropout, Flatten, Linear, Softmax
from cnnlab.networks.layers.pooling import AdaptivePool2d, AvgPool2d, MaxPool2d

MAX_NESTED = 3  # blocks within one another
MAX_WITHIN = 60  # layers within a block, those of blocks within it included

Chain = tuple["Layer", ...]


class Block(BaseLayer):
    """``merged`` of what each of its branches gives; an empty branch passes its input on."""

    @abstractmethod
    def merged(self, shape: Shape, outs: list[Shape]) -> Shape:
        """The shape of what is made of the branches' ``outs``. Raises LayerError where they do not go together."""

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        return self.merged(shape, self._outs(shape, classes))

    def _outs(self, shape: Shape, classes: int) -> list[Shape]:
        return [trace(chain, shape, classes)[-1] for chain in self.branches(shape, classes).values()]

    def _steps(self, shape: Shape, classes: int) -> list[tuple[Layer, Shape]]:
        """Every layer of every branch with the shape that flows into it."""
        chains = self.branches(shape, classes).values()
        return [step for chain in chains for step in zip(chain, trace(chain, shape, classes), strict=False)]

    def parameters(self, shape: Shape, classes: int) -> int:
        return sum(layer.parameters(flowing, classes) for layer, flowing in self._steps(shape, classes))

    def macs(self, shape: Shape, classes: int) -> int:
        return sum(layer.macs(flowing, classes) for layer, flowing in self._steps(shape, classes))

    def activations(self, shape: Shape, classes: int) -> int:
        within = sum(layer.activations(flowing, classes) for layer, flowing in self._steps(shape, classes))
        return within + super().activations(shape, classes)

    def peak(self, shape: Shape, classes: int) -> int:
        """While a branch is at work, the block's input and what the branches before it gave wait."""
        waiting, peaks = prod(shape), []
        for chain in self.branches(shape, classes).values():
            flowing = trace(chain, shape, classes)
            steps = [layer.peak(into, classes) for layer, into in zip(chain, flowing, strict=False)]
            peaks.append(waiting + max(steps, default=0))
            waiting += prod(flowing[-1]) if chain else 0
        return max(*peaks, waiting + prod(self.output_shape(shape, classes)))

    def windows(self, shape: Shape) -> list[Window] | None:
        """Those of the branch that sees most."""
        ways = [_windows(chain, shape) for chain in self.branches(shape, classes=1).values()]
        known = [way for way in ways if way is not None]
        return max(known, key=_reach) if len(known) == len(ways) else None


class Residual(Block):
    """``activation(body(x) + shortcut(x))`` (He et al. 2015, arXiv:1512.03385, option B).

    The shortcut is the identity where the body keeps the shape, else a 1×1 convolution with batch norm
    whose stride takes the input to the body's size.
    """

    kind: Literal["residual"] = "residual"
    body: Annotated[tuple[Layer, ...], FailFast(), Field(min_length=1, max_length=20)]
    activation: Function | Literal["none"] = "relu"

    @field_validator("body")
    @classmethod
    def _is_shallow(cls, body: Chain) -> Chain:
        return _checked((body,))[0]

    @property
    def chains(self) -> dict[str, Chain]:
        return {"body": self.body}

    def with_chains(self, chains: Sequence[Chain]) -> Residual:
        return Residual.model_validate({**dict(self), "body": chains[0]})

    def projection(self, shape: Shape, classes: int) -> Chain:
        """The shortcut's layers for an input of ``shape``; empty for the identity."""
        _, height, width = spatial(shape, "a residual block")
        out = trace(self.body, shape, classes)[-1]
        if len(out) != 3:
            raise LayerError("a residual block must give feature maps: keep flatten and linear out of its body")
        if out == shape:
            return ()
        stride = (max(1, ceil(height / out[1])), max(1, ceil(width / out[2])))
        if max(stride) > 64:
            raise LayerError(f"no 1×1 shortcut takes {shape} to the body's {out}: shrink the maps in smaller steps")
        even = stride[0] if stride[0] == stride[1] else stride
        layers = (Conv2d(out_channels=out[0], kernel_size=1, stride=even, bias=False), BatchNorm2d())
        if trace(layers, shape, classes)[-1] != out:
            raise LayerError(f"no 1×1 shortcut takes {shape} to the body's {out}: pad the body's convolutions")
        return layers

    def branches(self, shape: Shape, classes: int) -> dict[str, Chain]:
        return {"body": self.body, "shortcut": self.projection(shape, classes)}

    def merged(self, shape: Shape, outs: list[Shape]) -> Shape:
        return outs[0]

    def shape_formula(self, shape: Shape, classes: int) -> str:
        way = "a 1×1 convolution" if self.projection(shape, classes) else "as it is"
        return f"the body's {shown(self.output_shape(shape, classes))}; the shortcut: {way}"


class Parallel(Block):
    """What several branches give, one behind the other along the channels (Szegedy et al. 2014, arXiv:1409.4842).

    An empty branch passes its input on, as in a DenseNet.
    """

    kind: Literal["parallel"] = "parallel"
    paths: Annotated[
        tuple[Annotated[tuple[Layer, ...], Field(max_length=20)], ...], FailFast(), Field(min_length=2, max_length=8)
    ]

    @field_validator("paths")
    @classmethod
    def _is_shallow(cls, paths: tuple[Chain, ...]) -> tuple[Chain, ...]:
        return _checked(paths)

    @property
    def chains(self) -> dict[str, Chain]:
        return {f"path{number}": chain for number, chain in enumerate(self.paths, start=1)}

    def with_chains(self, chains: Sequence[Chain]) -> Parallel:
        return Parallel.model_validate({**dict(self), "paths": chains})

    def branches(self, shape: Shape, classes: int) -> dict[str, Chain]:
        spatial(shape, "a block of parallel branches")
        return self.chains

    def merged(self, shape: Shape, outs: list[Shape]) -> Shape:
        if any(len(out) != 3 for out in outs):
            raise LayerError("parallel branches must give feature maps: keep flatten and linear out of them")
        if len({out[1:] for out in outs}) > 1:
            sizes = ", ".join(shown(out[1:]) for out in outs)
            raise LayerError(f"the branches give maps of different sizes, {sizes}: give them one stride, and padding")
        return sum(out[0] for out in outs), *outs[0][1:]

    def shape_formula(self, shape: Shape, classes: int) -> str:
        outs = self._outs(shape, classes)
        return f"{' + '.join(str(out[0]) for out in outs)} = {self.merged(shape, outs)[0]} channels"


class DepthwiseSeparable(Block):
    """One filter for each channel, then a 1×1 convolution that mixes them (Howard et al. 2017, arXiv:1704.04861).

    With ``norm`` each of the two is followed by batch norm and ReLU, as there.
    """

    kind: Literal["depthwise-separable"] = "depthwise-separable"
    out_channels: Channels
    kernel_size: Size | tuple[Size, Size] = 3
    stride: Size | tuple[Size, Size] = 1
    padding: Border | tuple[Border, Border] | Literal["same", "valid"] = 1
    dilation: Size | tuple[Size, Size] = 1
    norm: bool = True

    def branches(self, shape: Shape, classes: int) -> dict[str, Chain]:
        channels, _, _ = spatial(shape, "a depthwise-separable convolution")
        if channels > 4096:
            raise LayerError(f"a depthwise convolution takes 4096 channels at most, not {channels}")
        depthwise = Conv2d(
            out_channels=channels,
            groups=channels,
            kernel_size=self.kernel_size,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            bias=not self.norm,
        )
        pointwise = Conv2d(out_channels=self.out_channels, kernel_size=1, bias=not self.norm)
        between: Chain = (BatchNorm2d(), Activation()) if self.norm else ()
        return {"": (depthwise, *between, pointwise, *between)}

    def merged(self, shape: Shape, outs: list[Shape]) -> Shape:
        return outs[0]

    def activations(self, shape: Shape, classes: int) -> int:
        """Nothing is merged: its output is its last layer's."""
        return super().activations(shape, classes) - prod(self.output_shape(shape, classes))

    def peak(self, shape: Shape, classes: int) -> int:
        """What flows in is not needed any more once the first layer has it."""
        (chain,) = self.branches(shape, classes).values()
        return max(layer.peak(into, classes) for layer, into in zip(chain, trace(chain, shape, classes), strict=False))

    def shape_formula(self, shape: Shape, classes: int) -> str:
        (chain,) = self.branches(shape, classes).values()
        return chain[0].shape_formula(shape, classes)

    def parameter_formula(self, shape: Shape, classes: int) -> str:
        parts = [layer.parameter_formula(into, classes) for layer, into in self._steps(shape, classes)]
        return "; ".join(part for part in parts if part)


class SqueezeExcite(Block):
    """Each map times a weight between 0 and 1 that all maps' means decide (Hu et al. 2017, arXiv:1709.01507).

    Its receptive field leaves the gate out, through which every output depends a little on the whole image.
    """

    kind: Literal["squeeze-excite"] = "squeeze-excite"
    reduction: Annotated[int, Field(ge=1, le=256)] = 16

    def branches(self, shape: Shape, classes: int) -> dict[str, Chain]:
        channels, _, _ = spatial(shape, "squeeze-and-excite")
        if channels > 4096:
            raise LayerError(f"squeeze-and-excite takes 4096 channels at most, not {channels}")
        squeezed = max(1, channels // self.reduction)
        return {
            "gate": (
                AdaptivePool2d(),
                Conv2d(out_channels=squeezed, kernel_size=1),
                Activation(),
                Conv2d(out_channels=channels, kernel_size=1),
                Activation(function="sigmoid"),
            )
        }

    def merged(self, shape: Shape, outs: list[Shape]) -> Shape:
        return shape

    def windows(self, shape: Shape) -> list[Window]:
        return []

    def shape_formula(self, shape: Shape, classes: int) -> str:
        squeezed = max(1, shape[0] // self.reduction)
        return f"keeps {shown(shape)}; the gate: {shape[0]} → {squeezed} → {shape[0]}"


Layer = Annotated[
    Conv2d
    | MaxPool2d
    | AvgPool2d
    | AdaptivePool2d
    | BatchNorm2d
    | BatchNorm1d
    | GroupNorm
    | LayerNorm
    | Activation
    | Softmax
    | Dropout
    | Flatten
    | Linear
    | Residual
    | Parallel
    | DepthwiseSeparable
    | SqueezeExcite,
    Field(discriminator="kind"),
]
Residual.model_rebuild()
Parallel.model_rebuild()


def trace(layers: Chain, shape: Shape, classes: int) -> list[Shape]:
    """Shapes along a chain of layers: the input's first, then each layer's output. Raises LayerError."""
    shapes = [shape]
    for layer in layers:
        shapes.append(layer.output_shape(shapes[-1], classes))
    return shapes


def _checked(chains: tuple[Chain, ...]) -> tuple[Chain, ...]:
    """Each level of blocks within blocks doubles the time it takes to follow the shapes."""
    if 1 + max(map(_depth, chains)) > MAX_NESTED:
        raise ValueError(f"blocks may be nested {MAX_NESTED} deep at most")
    if sum(map(_within, chains)) > MAX_WITHIN:
        raise ValueError(f"a block may hold {MAX_WITHIN} layers at most")
    return chains


def _depth(layers: Chain) -> int:
    return max((1 + max(map(_depth, layer.chains.values())) for layer in layers if layer.chains), default=0)


def _within(layers: Chain) -> int:
    return sum(1 + sum(map(_within, layer.chains.values())) for layer in layers)


def _windows(chain: Chain, shape: Shape) -> list[Window] | None:
    passed: list[Window] = []
    for layer, flowing in zip(chain, trace(chain, shape, classes=1), strict=False):
        windows = layer.windows(flowing)
        if windows is None:
            return None
        passed += windows
    return passed


def _reach(windows: list[Window]) -> int:
    """How far the windows, one behind the other, see: rows and columns together."""
    reach, jumps = [1, 1], [1, 1]
    for kernel, stride, dilation, _ in windows:
        for axis in (0, 1):
            reach[axis] += (kernel[axis] - 1) * dilation[axis] * jumps[axis]
            jumps[axis] *= stride[axis]
    return sum(reach)
