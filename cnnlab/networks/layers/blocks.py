"""The kinds of blocks."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, prod
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import FailFast, Field, field_validator

from cnnlab.networks.layers.base import (
    Border,
    Call,
    Channels,
    Function,
    LayerError,
    Padding,
    Shape,
    Size,
    Window,
    shown,
)
from cnnlab.networks.layers.chains import Block, Chain, checked, trace
from cnnlab.networks.layers.convolution import Conv2d
from cnnlab.networks.layers.norms import BatchNorm2d
from cnnlab.networks.layers.plain import MODULES, Activation
from cnnlab.networks.layers.pooling import AdaptivePool2d, AvgPool2d, MaxPool2d
from cnnlab.networks.layers.windows import spatial

if TYPE_CHECKING:
    from cnnlab.networks.layers.registry import Layer


_BRANCHES = range(2, 9)  # of parallel ones


def _conv(channels: int, **settings: Any) -> Chain:
    return Conv2d(out_channels=channels, **settings), Activation()


def _conv_norm() -> Chain:
    return Conv2d(out_channels=16, padding=1, bias=False), BatchNorm2d()


class Residual(Block):
    """Compute ``activation(body(x) + shortcut(x))`` (He et al. 2015, arXiv:1512.03385, option B).

    The shortcut is the identity if the body keeps the shape, else a 1×1 convolution with batch norm whose stride
    brings the input to the body's size; ``pooled``, means do so before it (He et al. 2018, arXiv:1812.01187).
    """

    examples = {"Residual block": {"body": (*_conv_norm(), Activation(), *_conv_norm())}}
    merge = "sum"
    title = "residual block"
    chain_fields = frozenset({"body"})
    needs_layers = True
    _stem = "block"

    kind: Literal["residual"] = "residual"
    body: Annotated[tuple[Layer, ...], FailFast(), Field(min_length=1, max_length=20)]
    activation: Function | Literal["none"] = "relu"
    pooled: bool = False

    @field_validator("body")
    @classmethod
    def _is_shallow(cls, body: Chain) -> Chain:
        return checked((body,))[0]

    @property
    def final_activation(self) -> str:
        return "" if self.activation == "none" else self.activation

    @property
    def branch_number(self) -> int:
        return 2

    def merge_modules(self) -> dict[str, Call]:
        return {"activation": Call("Identity" if self.activation == "none" else MODULES[self.activation])}

    @property
    def chains(self) -> dict[str, Chain]:
        return {"body": self.body}

    def with_chains(self, chains: Sequence[Chain]) -> Residual:
        return Residual.model_validate({**dict(self), "body": chains[0]})

    def projection(self, shape: Shape, classes: int) -> Chain:
        """Return the shortcut's layers for an input of ``shape``, empty for the identity. Raises LayerError."""
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
        means = (AvgPool2d(kernel_size=even, ceil_mode=True),) if self.pooled and max(stride) > 1 else ()
        convolution = Conv2d(out_channels=out[0], kernel_size=1, stride=1 if means else even, bias=False)
        layers = (*means, convolution, BatchNorm2d())
        if trace(layers, shape, classes)[-1] != out:
            raise LayerError(f"no 1×1 shortcut takes {shape} to the body's {out}: pad the body's convolutions")
        return layers

    def branches(self, shape: Shape, classes: int) -> dict[str, Chain]:
        return {"body": self.body, "shortcut": self.projection(shape, classes)}

    def merged(self, shape: Shape, outs: list[Shape]) -> Shape:
        return outs[0]

    def shape_formula(self, shape: Shape, classes: int) -> str:
        shortcut = "a 1×1 convolution" if self.projection(shape, classes) else "as it is"
        return f"the body's {shown(self.output_shape(shape, classes))}; the shortcut: {shortcut}"


class Parallel(Block):
    """Concatenate the outputs of several branches along the channels (Szegedy et al. 2014, arXiv:1409.4842).

    An empty branch passes its input on, as in a DenseNet.
    """

    examples = {
        "Parallel branches": {
            "paths": (
                _conv(8, kernel_size=1),
                _conv(8, padding=1),
                _conv(8, kernel_size=5, padding=2),
                (MaxPool2d(kernel_size=3, stride=1, padding=1), *_conv(8, kernel_size=1)),
            )
        }
    }
    merge = "concatenation"
    title = "parallel branches"
    chain_fields = frozenset({"paths"})
    branch_counts = _BRANCHES
    _stem = "branches"

    kind: Literal["parallel"] = "parallel"
    paths: Annotated[
        tuple[Annotated[tuple[Layer, ...], Field(max_length=20)], ...],
        FailFast(),
        Field(min_length=_BRANCHES[0], max_length=_BRANCHES[-1]),
    ]

    @field_validator("paths")
    @classmethod
    def _is_shallow(cls, paths: tuple[Chain, ...]) -> tuple[Chain, ...]:
        return checked(paths)

    @property
    def branch_number(self) -> int:
        return len(self.paths)

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
    """Filter each channel alone, then mix them by a 1×1 convolution (Howard et al. 2017, arXiv:1704.04861).

    With ``norm`` each of the two is followed by batch norm and ReLU, as in the paper.
    """

    examples = {"Depthwise-separable convolution": {"out_channels": 32}}
    linearity = "weighted"
    passes_variance_shift = True
    title = "depthwise-separable convolution"
    _stem = "separable"

    kind: Literal["depthwise-separable"] = "depthwise-separable"
    out_channels: Channels
    kernel_size: Size | tuple[Size, Size] = 3
    stride: Size | tuple[Size, Size] = 1
    padding: Border | tuple[Border, Border] | Padding = 1
    dilation: Size | tuple[Size, Size] = 1
    norm: bool = True

    @property
    def ends_non_linear(self) -> bool:
        return self.norm

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
        """Count the inner layers only: the last one's output is the block's."""
        return super().activations(shape, classes) - prod(self.output_shape(shape, classes))

    def peak(self, shape: Shape, classes: int) -> int:
        """Return the largest peak of an inner layer: the block's input is freed after the first one."""
        (chain,) = self.branches(shape, classes).values()
        return max(layer.peak(into, classes) for layer, into in zip(chain, trace(chain, shape, classes), strict=False))

    def shape_formula(self, shape: Shape, classes: int) -> str:
        (chain,) = self.branches(shape, classes).values()
        return chain[0].shape_formula(shape, classes)

    def parameter_formula(self, shape: Shape, classes: int) -> str:
        parts = [layer.parameter_formula(into, classes) for layer, into in self._steps(shape, classes)]
        return "; ".join(part for part in parts if part)


class SqueezeExcite(Block):
    """Scale each map by a weight between 0 and 1 computed from all maps' means (Hu et al. 2017, arXiv:1709.01507).

    ``squeezed`` sets the channels within the gate, in place of ``reduction``; with a hard sigmoid ``gate`` it is the
    one of Howard et al. 2019, arXiv:1905.02244, with SiLU ``within`` that of Tan and Le 2019, arXiv:1905.11946.
    The receptive field leaves out the gate, through which every output depends a little on the whole image.
    """

    examples = {"Squeeze-and-excite": {}}
    merge = "product"
    title = "squeeze-and-excite"
    _stem = "squeeze"

    kind: Literal["squeeze-excite"] = "squeeze-excite"
    reduction: Annotated[int, Field(ge=1, le=256)] = 16
    squeezed: Channels | None = None
    within: Function = "relu"
    gate: Literal["sigmoid", "hard-sigmoid"] = "sigmoid"

    def branches(self, shape: Shape, classes: int) -> dict[str, Chain]:
        channels, _, _ = spatial(shape, "squeeze-and-excite")
        if channels > 4096:
            raise LayerError(f"squeeze-and-excite takes 4096 channels at most, not {channels}")
        return {
            "gate": (
                AdaptivePool2d(),
                Conv2d(out_channels=self._squeezed(channels), kernel_size=1),
                Activation(function=self.within),
                Conv2d(out_channels=channels, kernel_size=1),
                Activation(function=self.gate),
            )
        }

    def _squeezed(self, channels: int) -> int:
        return self.squeezed or max(1, channels // self.reduction)

    def merged(self, shape: Shape, outs: list[Shape]) -> Shape:
        return shape

    def windows(self, shape: Shape) -> list[Window]:
        return []

    def shape_formula(self, shape: Shape, classes: int) -> str:
        return f"keeps {shown(shape)}; the gate: {shape[0]} → {self._squeezed(shape[0])} → {shape[0]}"
