from __future__ import annotations

import pytest
import torch

from cnnlab.networks.build import layer_module
from cnnlab.networks.layers import LayerNorm, LayerScale, Shape


def test_a_layer_norm_of_each_position_looks_at_its_channels_alone() -> None:
    maps = torch.randn(2, 5, 3, 4) * torch.rand(3, 4) * 10
    layer = LayerNorm(per_position=True, eps=1e-3)
    expected = (maps - maps.mean(1, keepdim=True)) / (maps.var(1, correction=0, keepdim=True) + 1e-3).sqrt()
    assert torch.allclose(layer_module(layer, (5, 3, 4), 10)(maps), expected, atol=1e-6)
    assert layer.parameters((5, 3, 4), 10) == 2 * 5
    assert layer.parameter_formula((5, 3, 4), 10) == "2·5 = 10"


def test_of_flat_features_there_is_one_position() -> None:
    features = torch.randn(2, 6)
    module = layer_module(LayerNorm(per_position=True), (6,), 10)
    assert type(module) is torch.nn.LayerNorm
    assert torch.equal(module(features), layer_module(LayerNorm(), (6,), 10)(features))


@pytest.mark.parametrize("shape", [(3, 4, 5), (3,)], ids=str)
def test_a_layer_scale_multiplies_each_channel_by_its_factor(shape: Shape) -> None:
    module = layer_module(LayerScale(initial=0.25), shape, 10)
    inputs = torch.randn(2, *shape)
    assert torch.equal(module(inputs), inputs / 4)
    factors = module.get_parameter("weight")
    with torch.no_grad():
        factors.copy_(torch.tensor([1.0, 2.0, -3.0]))
        for channel, factor in enumerate((1, 2, -3)):
            assert torch.equal(module(inputs)[:, channel], inputs[:, channel] * factor)
