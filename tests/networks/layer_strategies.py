"""Layer lists as Hypothesis draws them: most fit their images, some do not."""

from __future__ import annotations

from typing import get_args

from hypothesis import strategies as st
from pydantic import ValidationError

from cnnlab.networks.architecture import Draft
from cnnlab.networks.layers import (
    Activation,
    AdaptivePool2d,
    AvgPool2d,
    BatchNorm1d,
    BatchNorm2d,
    Conv2d,
    DepthwiseSeparable,
    Dropout,
    Flatten,
    Function,
    GroupNorm,
    Initialisation,
    Layer,
    LayerError,
    LayerNorm,
    LayerScale,
    Linear,
    MaxPool2d,
    Parallel,
    Residual,
    Resize,
    Shape,
    Softmax,
    SqueezeExcite,
)
from cnnlab.networks.layers.base import Padding

CHANNELS = st.sampled_from([1, 2, 3, 4, 6, 8, 12])
BOOLEANS = st.booleans()
FUNCTIONS = st.sampled_from(get_args(Function))


def _sizes(low: int, high: int) -> st.SearchStrategy[int | tuple[int, int]]:
    one = st.integers(low, high)
    return one | st.tuples(one, one)


CONVOLUTIONS: st.SearchStrategy[Layer] = st.builds(
    Conv2d,
    out_channels=CHANNELS,
    kernel_size=_sizes(1, 5),
    stride=_sizes(1, 3),
    padding=st.one_of(_sizes(0, 3), st.sampled_from(get_args(Padding))),
    dilation=_sizes(1, 2),
    groups=st.sampled_from([1, 1, 1, 2, 3, 4]),
    bias=BOOLEANS,
    padding_mode=st.sampled_from(["zeros", "zeros", "reflect", "replicate", "circular"]),
    init=st.sampled_from(get_args(Initialisation)),
)
POOLS: st.SearchStrategy[Layer] = st.one_of(
    st.builds(
        MaxPool2d,
        kernel_size=_sizes(1, 4),
        stride=st.none() | _sizes(1, 3),
        padding=_sizes(0, 2),
        dilation=_sizes(1, 2),
        ceil_mode=BOOLEANS,
    ),
    st.builds(
        AvgPool2d,
        kernel_size=_sizes(1, 4),
        stride=st.none() | _sizes(1, 3),
        padding=_sizes(0, 2),
        ceil_mode=BOOLEANS,
        count_include_pad=BOOLEANS,
    ),
    st.builds(AdaptivePool2d, pool=st.sampled_from(["avg", "max"]), output_size=_sizes(1, 4)),
)
SCALES: st.SearchStrategy[Layer] = st.builds(LayerScale, initial=st.floats(0, 10))
NUMBER_BY_NUMBER: st.SearchStrategy[Layer] = st.one_of(
    st.builds(BatchNorm2d, affine=BOOLEANS),
    st.builds(GroupNorm, groups=st.sampled_from([1, 2, 3, 4]), affine=BOOLEANS),
    st.builds(LayerNorm, affine=BOOLEANS, per_position=BOOLEANS),
    SCALES,
    st.builds(Activation, function=FUNCTIONS),
    st.builds(Dropout, p=st.floats(0, 0.9), channels=BOOLEANS),
    st.builds(
        SqueezeExcite,
        reduction=st.sampled_from([1, 2, 16]),
        squeezed=st.none() | CHANNELS,
        gate=st.sampled_from(["sigmoid", "hard-sigmoid"]),
    ),
    st.builds(Resize, size=st.integers(1, 24)),
)
SEPARABLE: st.SearchStrategy[Layer] = st.builds(
    DepthwiseSeparable,
    out_channels=CHANNELS,
    kernel_size=_sizes(1, 5),
    stride=_sizes(1, 2),
    padding=st.one_of(_sizes(0, 3), st.sampled_from(get_args(Padding))),
    norm=BOOLEANS,
)
FLAT: st.SearchStrategy[Layer] = st.one_of(
    st.builds(Linear, out_features=st.integers(1, 40), bias=BOOLEANS, init=st.sampled_from(get_args(Initialisation))),
    st.builds(BatchNorm1d, affine=BOOLEANS),
    st.builds(LayerNorm, affine=BOOLEANS, per_position=BOOLEANS),
    SCALES,
    st.builds(Activation, function=FUNCTIONS),
    st.builds(Dropout),
    st.just(Softmax()),
)
PLAIN = st.one_of(CONVOLUTIONS, POOLS, NUMBER_BY_NUMBER, SEPARABLE)
SHAPES: st.SearchStrategy[Shape] = st.tuples(st.integers(1, 4), st.integers(1, 20), st.integers(1, 20))


def _blocks(draw: st.DrawFn, shape: Shape, depth: int) -> Layer | None:
    """A block whose chains mostly fit ``shape``."""
    try:
        if draw(BOOLEANS):
            body = draw(_chains(shape, 3, depth))
            return Residual(body=body, activation=draw(FUNCTIONS | st.just("none")))
        paths = tuple(draw(_chains(shape, 2, depth)) for _ in range(draw(st.integers(2, 3))))
        return Parallel(paths=paths)
    except ValidationError:  # too deep, or without layers
        return None


@st.composite
def _chains(draw: st.DrawFn, shape: Shape, longest: int, depth: int = 0) -> tuple[Layer, ...]:
    layers: list[Layer] = []
    for _ in range(draw(st.integers(0, longest))):
        kind = draw(st.sampled_from(["plain", "plain", "plain", "kept", "block"]))
        layer: Layer | None
        if kind == "block" and depth < 2:
            layer = _blocks(draw, shape, depth + 1)
        elif kind == "kept":  # so that some blocks' branches have one size
            layer = Conv2d(out_channels=draw(CHANNELS), padding=1)
        else:
            layer = draw(PLAIN)
        if layer is None:
            continue
        try:
            shape = layer.output_shape(shape, 10)
        except LayerError:
            if draw(st.integers(0, 9)):
                continue  # a tenth of what does not fit stays
        layers.append(layer)
    return tuple(layers)


@st.composite
def drafts(draw: st.DrawFn) -> tuple[Draft, Shape, int]:
    """A network that ends in logits, images and a number of classes."""
    shape = draw(SHAPES)
    convolutional = draw(_chains(shape, 6))
    flat = draw(st.lists(FLAT, max_size=3))
    ending = [] if draw(st.integers(0, 19)) == 13 else [Flatten()]
    layers = (*convolutional, *ending, *flat, Linear(out_features="classes"))
    return Draft(name="drawn", title="Drawn", layers=layers), shape, draw(st.integers(2, 12))
