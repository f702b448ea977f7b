"""Convolutions taken apart equal PyTorch's own, over its arguments."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnnlab.learn.convolution import Worked, fresh, work, work_of
from cnnlab.networks.layers import Conv2d, LayerError
from cnnlab.networks.modules import PaddedConv2d

# PyTorch says so of "same" with even kernels; it gives the right numbers.
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths:UserWarning")

SHAPE = (4, 9, 12)


def is_taken(arguments: dict[str, Any]) -> bool:
    """Whether PyTorch can be asked: not where a strided, dilated window holds no pixel."""
    try:
        return bool(Conv2d(out_channels=8, **arguments).output_shape(SHAPE, 10))
    except LayerError:
        return False


_ALL = [
    {"kernel_size": kernel, "stride": stride, "padding": padding, "dilation": dilation, "padding_mode": mode}
    for kernel, stride, padding, dilation, mode in product(
        [1, 3, (2, 5)],
        [1, (2, 3)],
        [0, 2, (3, 1), "same", "valid"],
        [1, (2, 1)],
        ["zeros", "reflect", "replicate", "circular"],
    )
    if padding != "same" or stride == 1
]
GRID = [arguments for arguments in _ALL if is_taken(arguments)]
assert len(GRID) == len(_ALL) - 3
GROUPS = [{"groups": groups, "bias": bias} for groups, bias in ((1, True), (2, False), (4, True))]


def image() -> Tensor:
    return torch.rand(SHAPE, generator=torch.Generator().manual_seed(1))


def worked(channel: int, **arguments: Any) -> tuple[Worked, nn.Conv2d]:
    """An output channel taken apart, and the real layer."""
    layer = Conv2d(out_channels=8, **arguments)
    module = fresh(layer, SHAPE)
    return work(image(), layer, module.weight, module.bias, channel), module


def under(parts: Worked, row: int, column: int) -> Tensor:
    """``origin`` under the window, by the arithmetic that the browser does too."""
    corner = [position * step for position, step in zip((row, column), parts.stride, strict=True)]
    slices = [
        slice(first, first + step * (size - 1) + 1, step)
        for first, step, size in zip(corner, parts.dilation, parts.weight.shape[1:], strict=True)
    ]
    return parts.origin[slices[0], slices[1]]


@pytest.mark.parametrize("groups", GROUPS, ids=str)
def test_the_parts_add_up_to_what_nn_conv2d_gives(groups: dict[str, Any]) -> None:
    for number, arguments in enumerate(GRID):
        channel = number % 8
        parts, module = worked(channel, **arguments, **groups)
        real = module(image()[None])[0, channel]
        bias = parts.bias or 0.0
        torch.testing.assert_close(parts.output, real)
        torch.testing.assert_close(parts.sums.sum(0) + bias, real)
        products = torch.stack([parts.products(plane) for plane in range(len(parts.padded))])
        assert products.shape == (SHAPE[0] // module.groups, *real.shape, *module.weight.shape[2:])
        torch.testing.assert_close(products.sum((3, 4)), parts.sums)
        assert torch.equal(parts.weight, module.weight[channel])


def test_without_groups_and_padding_mode_the_output_is_bit_for_bit_the_layers() -> None:
    for padding in (0, 2):
        layer = Conv2d(out_channels=1, padding=padding)
        module = fresh(layer, SHAPE)
        parts = work(image(), layer, module.weight, module.bias)
        assert torch.equal(parts.output, module(image()[None])[0, 0])


@pytest.mark.parametrize("groups", GROUPS, ids=str)
def test_the_pixels_that_feed_an_output_are_those_that_it_has_a_gradient_by(groups: dict[str, Any]) -> None:
    for number, arguments in enumerate(GRID):
        channel = number % 8
        parts, module = worked(channel, **arguments, **groups)
        row, column = (int(torch.randint(side, ())) for side in parts.output.shape)
        pixels = image().requires_grad_()
        module(pixels[None])[0, channel, row, column].backward()
        assert pixels.grad is not None
        reached = set(under(parts, row, column).flatten().tolist()) - {-1}
        looked_at = pixels.grad[list(parts.channels)]
        for plane in looked_at:
            assert set(plane.flatten().nonzero().flatten().tolist()) == reached
        assert int((pixels.grad != 0).sum()) == len(reached) * len(looked_at)


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
def test_each_padding_pixel_knows_which_pixel_it_was_copied_from(mode: str) -> None:
    parts, _ = worked(0, padding=(3, 1), padding_mode=mode)
    pixels = image().flatten(1)
    for plane, padded in zip(pixels, parts.padded, strict=True):
        copied = torch.where(parts.origin < 0, torch.tensor(0.0), plane[parts.origin.clamp_min(0)])
        assert torch.equal(copied, padded)
    assert bool((parts.origin < 0).any()) == (mode == "zeros")


def test_the_same_seed_draws_the_same_weights() -> None:
    layer = Conv2d(out_channels=4)
    assert torch.equal(fresh(layer, SHAPE).weight, fresh(layer, SHAPE).weight)


def test_a_layer_that_does_not_fit_is_refused() -> None:
    layer = Conv2d(out_channels=4, kernel_size=15)
    module = fresh(layer, SHAPE)
    with pytest.raises(LayerError, match="15×15"):
        work(image(), layer, module.weight, module.bias)


@pytest.mark.parametrize("groups", GROUPS, ids=str)
def test_a_module_is_taken_apart_with_nothing_but_itself(groups: dict[str, Any]) -> None:
    for number, arguments in enumerate(GRID):
        channel = number % 8
        module = fresh(Conv2d(out_channels=8, **arguments, **groups), SHAPE)
        parts = work_of(module, image(), channel)
        assert torch.allclose(parts.output, module(image()[None])[0, channel], atol=1e-5)
        total = parts.sums.sum(0) + (parts.bias or 0)
        assert torch.allclose(total, parts.output, atol=1e-5)


def test_a_module_that_pads_unequally_is_taken_apart() -> None:
    module = PaddedConv2d(4, 2, 3, stride=2, sides=(0, 1, 0, 2)).requires_grad_(False)
    parts = work_of(module, image(), 1)
    assert parts.borders == (0, 1, 0, 2)
    assert torch.allclose(parts.output, module(image()[None])[0, 1], atol=1e-5)


def test_the_channel_that_changes_the_output_most_can_come_first() -> None:
    module = fresh(Conv2d(out_channels=2, groups=2), SHAPE)
    module.weight[1, 0] *= 0.01
    parts = work_of(module, image(), 1)
    assert parts.channels == (2, 3)
    led = parts.ordered(parts.strongest)
    assert led.channels == (3, 2)
    assert torch.equal(led.products(0), parts.products(1))
    assert torch.equal(led.sums.sum(0), parts.sums.sum(0))
