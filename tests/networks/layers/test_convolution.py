from __future__ import annotations

from itertools import product

import pytest
import torch
from torch import nn

from cnnlab.networks.build import layer_module
from cnnlab.networks.layers import Conv2d, LayerError


@pytest.mark.parametrize("kernel", [1, 2, 3, 5])
def test_same_upper_pads_as_tensorflow_does(kernel: int) -> None:
    """Each output is at a whole multiple of the stride, and what is missing at the borders is split, less first."""
    for side, stride, dilation in product(range(1, 12), range(1, 4), (1, 2)):
        layer = Conv2d(out_channels=2, kernel_size=kernel, stride=stride, dilation=dilation, padding="same-upper")
        module = layer_module(layer, (1, side, side), 10)
        images = torch.rand(1, 1, side, side)
        outputs = -(-side // stride)
        missing = max((outputs - 1) * stride + (kernel - 1) * dilation + 1 - side, 0)
        before = missing // 2
        padded = nn.ZeroPad2d((before, missing - before, before, missing - before))(images)
        weight, bias = module.get_parameter("weight"), module.get_parameter("bias")
        expected = nn.functional.conv2d(padded, weight, bias, stride, 0, dilation)
        assert torch.allclose(module(images), expected, atol=1e-6)
        assert layer.output_shape((1, side, side), 10) == (2, outputs, outputs)


def test_same_upper_pads_rows_and_columns_each_by_itself() -> None:
    layer = Conv2d(out_channels=2, kernel_size=(3, 5), stride=(2, 1), padding="same-upper")
    assert layer_module(layer, (1, 8, 9), 10)(torch.rand(1, 1, 8, 9)).shape == (1, 2, 4, 9)
    assert layer.shape_formula((1, 8, 9), 10) == "⌈8×9 / 2×1⌉ = 4×9"
    assert layer.windows((1, 8, 9))[0][3] == (0, 2)


def test_same_upper_fills_with_zeros_only() -> None:
    layer = Conv2d(out_channels=2, padding="same-upper", padding_mode="reflect")
    with pytest.raises(LayerError, match="only with zeros"):
        layer.output_shape((1, 8, 8), 10)
