"""What the chapter on nn.Conv2d tells of a layer is what PyTorch does."""

from __future__ import annotations

import re
from itertools import product

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from cnnlab.learn.conv2d import EXAMPLES, Example, code, fixes, measure
from cnnlab.learn.convolution import fresh, work
from cnnlab.learn.sample_images import picture_of
from cnnlab.networks.layers import Conv2d

# PyTorch says so of "same" with even kernels; it gives the right numbers.
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths:UserWarning")

MODES = ("zeros", "reflect", "replicate", "circular")
TRUE_SHAPES = {  # as the tutorials' and PyTorch's own pages have them
    "tour-28": (20, 28, 48, 48),
    "square": (20, 33, 24, 49),
    "uneven": (20, 33, 28, 100),
    "everything": (20, 33, 26, 100),
}
examples = pytest.mark.parametrize("example", EXAMPLES.values(), ids=list(EXAMPLES))


@examples
def test_an_examples_numbers_are_those_of_the_real_layer(example: Example) -> None:
    layer, shape = example.layer, example.shape
    module = fresh(layer, shape[1:])
    with FlopCounterMode(display=False) as counter:
        output = module(torch.zeros(shape))
    measured = measure(layer, shape)
    assert measured.shape == tuple(output.shape)
    assert measured.parameters == sum(parameter.numel() for parameter in module.parameters())
    assert layer.macs(shape[1:], 0) == counter.get_total_flops() // 2 // shape[0]
    assert layer.parameter_formula(shape[1:], 0).endswith(f"= {measured.parameters:,}")
    told = layer.shape_formula(shape[1:], 0)
    assert told.startswith("padding 'same' keeps") or told.endswith(f"= {output.shape[3]}")


@examples
def test_an_examples_code_runs_to_the_shape_that_is_told(example: Example) -> None:
    layer, run = code(example.layer, example.shape).splitlines()
    names = {"nn": nn, "torch": torch}
    exec(layer, names)
    assert eval(run, names) == measure(example.layer, example.shape).shape


@examples
def test_an_example_can_be_taken_apart(example: Example) -> None:
    image = picture_of(example.shape[1:])
    assert tuple(image.shape) == example.shape[1:]
    assert 0 <= image.min() < image.max() <= 1
    module = fresh(example.layer, example.shape[1:])
    parts = work(image, example.layer, module.weight, module.bias)
    torch.testing.assert_close(parts.output, module(image[None])[0, 0])


@pytest.mark.parametrize("name", TRUE_SHAPES)
def test_the_tutorials_examples_have_their_true_shapes(name: str) -> None:
    assert measure(EXAMPLES[name].layer, EXAMPLES[name].shape).shape == TRUE_SHAPES[name]


def test_a_mend_is_told_exactly_where_pytorch_refuses() -> None:
    refused = 0
    for kernel, stride, padding, dilation, groups, mode in product(
        [1, 4, (2, 7)], [1, 2], [0, 4, 5, "same"], [1, 3], [1, 2, 4], MODES
    ):
        layer = Conv2d(
            out_channels=6,
            kernel_size=kernel,
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=groups,
            padding_mode=mode,
        )
        shape = (2, 4, 5, 8)
        try:
            real = tuple(fresh(layer, shape[1:])(torch.zeros(shape)).shape)
        except (RuntimeError, ValueError):
            refused += 1
            assert fixes(layer, shape), layer
            with pytest.raises(ValueError, match=r"\w"):
                measure(layer, shape)
        else:
            if fixes(layer, shape):
                # PyTorch may not survive it.
                assert (layer.padding_mode, layer.dilation, layer.stride) == ("zeros", 3, 2)
                with pytest.raises(ValueError, match="wholly in the padding"):
                    measure(layer, shape)
                continue
            assert measure(layer, shape).shape == real
    assert refused > 100


@pytest.mark.parametrize("kernel", [4, 7, 10, (3, 9)])
@pytest.mark.parametrize("dilation", [1, 2])
def test_the_padding_that_is_told_is_the_least_that_mends(kernel: int | tuple[int, int], dilation: int) -> None:
    shape = (1, 1, 3, 3)

    def layer(padding: int) -> Conv2d:
        return Conv2d(out_channels=1, kernel_size=kernel, dilation=dilation, padding=padding)

    told = max(int(found) for mend in fixes(layer(0), shape) for found in re.findall(r"padding (\d+)", mend))
    assert not fixes(layer(told), shape)
    assert fixes(layer(told - 1), shape)


def test_the_groups_that_are_told_are_those_that_pytorch_takes() -> None:
    (told,) = fixes(Conv2d(out_channels=8, groups=5), (1, 12, 9, 9))
    assert told.startswith("groups=1, 2 or 4:")
    for groups in (1, 2, 4):
        assert measure(Conv2d(out_channels=8, groups=groups), (1, 12, 9, 9)).shape == (1, 8, 7, 7)
