from __future__ import annotations

import re
from itertools import product
from math import ceil, floor

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from cnnlab.networks.build import layer_module
from cnnlab.networks.edit import addable_layers
from cnnlab.networks.layers import (
    MAX_NESTED,
    MAX_WITHIN,
    Activation,
    AdaptivePool2d,
    AvgPool2d,
    BatchNorm2d,
    Conv2d,
    DepthwiseSeparable,
    Dropout,
    Flatten,
    GroupNorm,
    Layer,
    LayerError,
    LayerNorm,
    LayerScale,
    Linear,
    MaxPool2d,
    Parallel,
    Residual,
    Shape,
    Softmax,
    SqueezeExcite,
    trace,
)
from cnnlab.networks.layers.base import RESERVED

CLASSES = 10
INPUTS: list[Shape] = [(4, 9, 9), (4, 7, 12), (4, 2, 3)]

CONVOLUTIONS = [
    Conv2d(
        out_channels=8,
        kernel_size=kernel,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        bias=bias,
        padding_mode=mode,
    )
    for kernel, stride, padding, dilation, (groups, bias), mode in product(
        [1, 3, (5, 2)],
        [1, (2, 3)],
        [0, 1, (2, 1), "same", "valid"],
        [1, 2],
        [(1, True), (4, False)],
        ["zeros", "reflect"],
    )
]
_POOL_ARGUMENTS = product([2, 3, (3, 2)], [None, 1, (2, 3)], [0, 1], [False, True])
POOLS = [
    pool
    for kernel, stride, padding, ceil in _POOL_ARGUMENTS
    for pool in (
        MaxPool2d(kernel_size=kernel, stride=stride, padding=padding, ceil_mode=ceil),
        AvgPool2d(kernel_size=kernel, stride=stride, padding=padding, ceil_mode=ceil),
    )
]
OTHERS = [
    MaxPool2d(kernel_size=2, dilation=2),
    AdaptivePool2d(),
    AdaptivePool2d(pool="max", output_size=(2, 3)),
    BatchNorm2d(),
    BatchNorm2d(affine=False),
    LayerNorm(),
    LayerNorm(per_position=True),
    LayerNorm(per_position=True, affine=False),
    LayerScale(initial=0.5),
    SqueezeExcite(reduction=2),
    SqueezeExcite(squeezed=3, within="silu", gate="hard-sigmoid"),
    Activation(function="gelu"),
    Dropout(p=0.2),
    Dropout(p=0.2, channels=True),
    Flatten(),
    Residual(body=(Conv2d(out_channels=4, padding=1), BatchNorm2d())),
    Residual(body=(Conv2d(out_channels=6, padding=1, stride=2),)),
    Residual(body=(Conv2d(out_channels=6, padding=1, stride=2),), pooled=True),
]


def built_shape(layer: Layer, shape: Shape) -> Shape | None:
    """What torch gives, or None where it refuses."""
    arguments = layer.model_dump(exclude={"kind", "name", "init", "spread"})
    try:
        if isinstance(layer, Conv2d):
            module: nn.Module = nn.Conv2d(shape[0], **arguments)
        else:
            module = layer_module(layer, shape, CLASSES)
        return tuple(module(torch.zeros(2, *shape)).shape[1:])
    except (RuntimeError, ValueError):
        return None


def is_finite_in_torch(layer: Layer, shape: Shape) -> bool:
    """Forward only: behind a window without a pixel, torch's backward pass can end the process."""
    try:
        return bool(layer_module(layer, shape, CLASSES)(torch.zeros(1, *shape)).isfinite().all())
    except RuntimeError:
        return False


@pytest.mark.parametrize("is_last", [False, True], ids=["rows", "columns"])
def test_a_pool_is_refused_exactly_where_torch_refuses_it_or_a_window_holds_no_pixel(is_last: bool) -> None:
    """Along one axis; the other has a window of one pixel."""
    grid = list(product(range(1, 9), range(1, 5), range(1, 4), range(3), range(1, 7), [False, True]))
    for size, kernel, stride, padding, dilation, ceil_mode in grid:
        arguments = {
            name: (rest, value) if is_last else (value, rest)
            for name, value, rest in (
                ("kernel_size", kernel, 1),
                ("stride", stride, 1),
                ("padding", padding, 0),
                ("dilation", dilation, 1),
            )
        }
        shape: Shape = (1, 1, size) if is_last else (1, size, 1)
        pools: list[Layer] = [MaxPool2d.model_validate({**arguments, "ceil_mode": ceil_mode})]
        if arguments.pop("dilation") == (1, 1):
            pools += [
                AvgPool2d.model_validate({**arguments, "ceil_mode": ceil_mode, "count_include_pad": counted})
                for counted in (False, True)
            ]
        for pool in pools:
            assert fits(pool, shape) == is_finite_in_torch(pool, shape), (pool, shape)


def fits(layer: Layer, shape: Shape) -> bool:
    try:
        return bool(layer.output_shape(shape, CLASSES))
    except LayerError:
        return False


DILATED = MaxPool2d(kernel_size=2, stride=1, padding=1, dilation=29)


@pytest.mark.parametrize(
    "layer",
    [
        DILATED,
        Residual(body=(DILATED,)),
        Parallel(paths=((Activation(),), (DILATED,))),
        Residual(body=(Parallel(paths=((DILATED,), (DILATED,))),)),
    ],
    ids=["alone", "in a residual block", "in a branch", "in a branch of a block"],
)
def test_a_pool_whose_window_lies_in_the_padding_is_refused_wherever_it_stands(layer: Layer) -> None:
    with pytest.raises(LayerError, match="wholly in the padding"):
        layer.output_shape((4, 28, 28), CLASSES)


DEADLY = Conv2d(out_channels=4, kernel_size=1, stride=2, padding=(4, 1), dilation=(4, 3))
DEADLY_TOO = Conv2d(out_channels=2, kernel_size=(1, 2), stride=3, padding=(0, 4), dilation=(1, 2))


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (DEADLY, (5, 8, 1)),
        (DEADLY_TOO, (1, 2, 1)),
        (Residual(body=(DEADLY,)), (5, 8, 1)),
        (Residual(body=(Parallel(paths=((DEADLY,), (DEADLY,))),)), (5, 8, 1)),
        (DepthwiseSeparable(out_channels=4, kernel_size=1, stride=2, padding=1, dilation=3), (5, 8, 1)),
    ],
    ids=str,
)
def test_a_dilated_convolution_that_ends_the_process_is_refused_wherever_it_stands(layer: Layer, shape: Shape) -> None:
    with pytest.raises(LayerError, match="dilated window lies wholly in the padding"):
        layer.output_shape(shape, CLASSES)


def test_a_convolution_is_refused_exactly_where_it_strides_and_its_dilated_window_holds_no_pixel() -> None:
    def holds_none(size: int, kernel: int, stride: int, padding: int, dilation: int) -> bool:
        positions = (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
        return any(
            all(not 0 <= start * stride - padding + point * dilation < size for point in range(kernel))
            for start in range(positions)
        )

    refused = 0
    for size, kernel, stride, padding, dilation in product(range(1, 6), range(1, 4), (1, 2, 3), range(5), range(1, 5)):
        layer = Conv2d(
            out_channels=1,
            kernel_size=(1, kernel),
            stride=(1, stride),
            padding=(0, padding),
            dilation=(1, dilation),
        )
        if size + 2 * padding > dilation * (kernel - 1):
            is_deadly = min(stride, dilation) > 1 and holds_none(size, kernel, stride, padding, dilation)
            assert fits(layer, (1, 1, size)) != is_deadly
            assert fits(layer.model_copy(update={"padding_mode": "replicate"}), (1, 1, size))
            refused += is_deadly
    assert refused > 100


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (GroupNorm(groups=4), (4, 1, 1)),
        (GroupNorm(groups=16), (16,)),
        (LayerNorm(), (1, 1, 1)),
        (LayerNorm(), (1,)),
        (LayerNorm(per_position=True), (1, 4, 4)),
        (LayerNorm(per_position=True), (1,)),
        (Residual(body=(GroupNorm(groups=4),)), (4, 1, 1)),
        (Parallel(paths=((), (GroupNorm(groups=4),))), (4, 1, 1)),
    ],
    ids=str,
)
def test_a_norm_over_single_numbers_is_refused(layer: Layer, shape: Shape) -> None:
    with pytest.raises(LayerError, match="the norm makes 0 of each"):
        layer.output_shape(shape, CLASSES)


@pytest.mark.parametrize("layer", [Softmax(), Residual(body=(Softmax(),))], ids=str)
@pytest.mark.parametrize("shape", [(1, 4, 4), (1, 1, 1)], ids=str)
def test_a_softmax_over_one_channel_is_refused(layer: Layer, shape: Shape) -> None:
    with pytest.raises(LayerError, match="always gives 1"):
        layer.output_shape(shape, CLASSES)
    assert layer.output_shape((2, 4, 4), CLASSES) == (2, 4, 4)


@pytest.mark.parametrize("norm", [BatchNorm2d, GroupNorm, LayerNorm])
def test_no_eps_is_so_small_that_maps_without_variance_become_nan(
    norm: type[BatchNorm2d] | type[GroupNorm] | type[LayerNorm],
) -> None:
    with pytest.raises(ValidationError, match="greater than or equal to"):
        norm(eps=1e-80)
    module = layer_module(norm(eps=1e-12), (4, 2, 2), CLASSES)
    assert module(torch.zeros(3, 4, 2, 2)).isfinite().all()


@pytest.mark.parametrize(
    ("layer", "shape"), [(GroupNorm(groups=2), (4, 1, 1)), (GroupNorm(groups=4), (4, 2, 1)), (LayerNorm(), (2, 1, 1))]
)
def test_a_norm_over_two_numbers_works(layer: Layer, shape: Shape) -> None:
    out = layer_module(layer, shape, CLASSES)(torch.rand(1, *shape))
    assert layer.output_shape(shape, CLASSES) == out.shape[1:]
    assert out.abs().max() > 0


# An even kernel with padding "same" costs torch a copy, of which it warns.
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("shape", INPUTS, ids=str)
@pytest.mark.parametrize("layers", [CONVOLUTIONS, POOLS, OTHERS], ids=["convolutions", "pools", "others"])
def test_shapes_and_parameters_are_torchs_own_or_both_refuse(layers: list[Layer], shape: Shape) -> None:
    for layer in layers:
        truth = built_shape(layer, shape)
        try:
            predicted: Shape | None = layer.output_shape(shape, CLASSES)
        except LayerError as error:
            if "dilated window" in str(error):  # which torch takes, and may not survive
                continue
            predicted = None
        assert predicted == truth, (layer, shape)
        if predicted:
            numbers = sum(parameter.numel() for parameter in layer_module(layer, shape, CLASSES).parameters())
            assert layer.parameters(shape, CLASSES) == numbers, layer


@pytest.mark.parametrize("shape", INPUTS, ids=str)
@pytest.mark.parametrize("layers", [CONVOLUTIONS, POOLS], ids=["convolutions", "pools"])
def test_a_formula_comes_to_what_it_says_and_that_is_the_output(layers: list[Layer], shape: Shape) -> None:
    for layer in layers:
        try:
            out = layer.output_shape(shape, CLASSES)
        except LayerError:
            continue
        formula = layer.shape_formula(shape, CLASSES)
        if "same" in formula:
            assert formula == f"padding 'same' keeps {shape[1]}×{shape[2]}"
            continue
        parts = formula.split("; ")
        sides = [part.removeprefix("rows ").removeprefix("columns ").split(" = ") for part in parts]
        assert [int(right) for _, right in sides] == (list(out[1:]) if len(parts) == 2 else [out[1]])
        assert all(arithmetic(left) == int(right) for left, right in sides), formula
        assert len(parts) == 2 or out[1] == out[2]


def arithmetic(text: str) -> float:
    signs = {"·": "*", "−": "-", "⌊": "floor(", "⌋": ")", "⌈": "ceil(", "⌉": ")"}
    for sign, meaning in signs.items():
        text = text.replace(sign, meaning)
    return float(eval(text, {"floor": floor, "ceil": ceil}))


@pytest.mark.parametrize(
    "layer", [layer for layer in addable_layers().values() if layer.kind != "linear"], ids=lambda la: la.kind
)
def test_a_parameter_formula_comes_to_the_parameters(layer: Layer) -> None:
    shape: Shape = (12,) if layer.kind == "batch-norm1d" else (8, 12, 12)
    formula = layer.parameter_formula(shape, CLASSES)
    parts = [part.split(" = ") for part in formula.split("; ") if part]
    assert all(arithmetic(left.replace(",", "")) == int(right.replace(",", "")) for left, right in parts)
    if parts:
        assert sum(int(right.replace(",", "")) for _, right in parts) == layer.parameters(shape, CLASSES)


def test_a_linear_layer_counts_its_weights() -> None:
    layer = Linear(out_features=5, bias=False)
    assert layer.output_shape((12,), CLASSES) == (5,)
    assert layer.parameters((12,), CLASSES) == layer.macs((12,), CLASSES) == 60
    assert Linear(out_features="classes").output_shape((12,), CLASSES) == (CLASSES,)


def test_a_convolution_counts_one_multiply_accumulate_per_weight_and_place() -> None:
    # LeNet-5's first: 6 filters of 5×5 on 32×32 give 28×28 places.
    assert Conv2d(out_channels=6, kernel_size=5).macs((1, 32, 32), CLASSES) == 6 * 25 * 28 * 28
    assert Conv2d(out_channels=8, groups=4).macs((4, 5, 5), CLASSES) == 8 * 1 * 9 * 9


def test_a_residual_block_counts_body_and_projection() -> None:
    block = Residual(body=(Conv2d(out_channels=8, padding=1, stride=2, bias=False),))
    body, projection = 8 * 4 * 9, 8 * 4
    assert block.macs((4, 8, 8), CLASSES) == (body + projection) * 4 * 4
    assert block.parameters((4, 8, 8), CLASSES) == body + projection + 2 * 8


def test_memory_at_once_is_what_flows_in_and_out_and_what_waits_in_a_block() -> None:
    shape: Shape = (4, 8, 8)
    convolution = Conv2d(out_channels=8, padding=1)
    assert convolution.peak(shape, CLASSES) == 4 * 64 + 8 * 64
    # The block's input waits while its second convolution works on 8 maps, then the sum is made of two.
    block = Residual(body=(convolution, convolution))
    assert block.peak(shape, CLASSES) == 4 * 64 + 16 * 64 + (8 * 64)
    assert Parallel(paths=((convolution,), ())).peak(shape, CLASSES) == 4 * 64 + 8 * 64 + 12 * 64
    assert DepthwiseSeparable(out_channels=8).peak(shape, CLASSES) == 2 * 8 * 64


@pytest.mark.parametrize("kind", ["parallel", "depthwise-separable", "squeeze-excite", "residual"])
def test_a_block_keeps_what_its_layers_and_its_merging_give(kind: str) -> None:
    (block,) = [layer for layer in addable_layers().values() if layer.kind == kind]
    module = layer_module(block, (16, 8, 8), CLASSES).eval()
    given: list[int] = []
    for leaf in module.modules():
        if not list(leaf.children()) and not isinstance(leaf, nn.Sequential):
            leaf.register_forward_hook(lambda leaf, inputs, output: given.append(output[0].numel()))
    out = module(torch.zeros(1, 16, 8, 8))
    merged = out[0].numel() if kind in ("parallel", "squeeze-excite") else 0
    assert block.activations((16, 8, 8), CLASSES) == sum(given) + merged


def test_a_block_sees_as_far_as_its_widest_branch() -> None:
    (block,) = [layer for layer in addable_layers().values() if layer.kind == "parallel"]
    assert block.windows((16, 8, 8)) == [((5, 5), (1, 1), (1, 1), (2, 2))]
    assert SqueezeExcite().windows((16, 8, 8)) == []


def test_names_that_would_hide_something_of_pytorchs_are_refused() -> None:
    attributes = {name for name in dir(nn.Sequential()) if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,39}", name)}
    assert attributes <= RESERVED
    for name in ("train", "class", "2nd", "a-b", ""):
        with pytest.raises(ValidationError):
            Activation(name=name)
    assert Activation(name="x").name == "x"


def test_blocks_are_nested_a_few_times_only() -> None:
    block = Residual(body=(Conv2d(out_channels=4, padding=1),))
    for _ in range(MAX_NESTED - 1):
        block = Residual(body=(block,))
    assert block.output_shape((4, 8, 8), CLASSES) == (4, 8, 8)
    with pytest.raises(ValidationError, match="nested 3 deep at most"):
        Residual(body=(block,))


@pytest.mark.parametrize(
    ("layer", "shape", "words"),
    [
        (Conv2d(out_channels=4, kernel_size=5), (1, 4, 4), "kernel 5×5 does not fit its 4×4 input"),
        (Conv2d(out_channels=4, padding="same", stride=2), (1, 8, 8), "stride 1"),
        (Conv2d(out_channels=4, groups=3), (4, 8, 8), "groups must divide"),
        (Conv2d(out_channels=4), (16,), "before flatten"),
        (MaxPool2d(kernel_size=2, padding=2), (1, 8, 8), "half"),
        (Linear(out_features=4), (1, 8, 8), "flatten first"),
        (Residual(body=(Flatten(),)), (1, 8, 8), "feature maps"),
    ],
)
def test_what_does_not_fit_is_refused_in_the_fields_words(layer: Layer, shape: Shape, words: str) -> None:
    with pytest.raises(LayerError, match=words):
        layer.output_shape(shape, CLASSES)


def test_trace_gives_every_shape_on_the_way() -> None:
    layers = (Conv2d(out_channels=6, padding=1), MaxPool2d(), Flatten(), Linear(out_features="classes"))
    assert trace(layers, (1, 8, 8), CLASSES) == [(1, 8, 8), (6, 8, 8), (6, 4, 4), (96,), (10,)]


def test_blocks_of_blocks_hold_only_so_many_layers() -> None:
    block = Residual(body=(Activation(),) * 5)
    held = Residual(body=(block,) * (MAX_WITHIN // 6))
    assert len(held.body) == 10
    with pytest.raises(ValidationError, match="60 layers at most"):
        Residual(body=(*held.body, Activation()))
