from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnnlab.architectures import PRESETS
from cnnlab.explain import conv_layers, feature_maps, filters
from cnnlab.network import build


@pytest.mark.parametrize("name", PRESETS)
def test_feature_maps_are_what_hooks_on_the_same_layers_see(name: str) -> None:
    network = build(PRESETS[name], (3, 32, 32), 10).eval()
    inputs = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    seen: dict[str, Tensor] = {}

    def remember(layer: str) -> Any:
        return lambda module, args, out: seen.__setitem__(layer, out.detach().clone())

    handles = [module.register_forward_hook(remember(layer)) for layer, module in network.named_children()]
    with torch.no_grad():
        network(inputs)
    for handle in handles:
        handle.remove()
    maps = feature_maps(network, inputs)
    assert list(maps) == [layer for layer, out in seen.items() if out.dim() == 4]
    for layer, found in maps.items():
        assert torch.allclose(found, seen[layer], atol=1e-6)


@pytest.mark.parametrize("training", [True, False])
def test_looking_changes_nothing(training: bool) -> None:
    network = build(PRESETS["compact"], (1, 28, 28), 10).train(training)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    feature_maps(network.eval(), torch.randn(1, 1, 28, 28))
    filters(network, "conv1")
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    assert not any(module._forward_hooks for module in network.modules())
    assert all(parameter.grad is None for parameter in network.parameters())


def test_convolutions_inside_blocks_are_found_in_order() -> None:
    names = list(conv_layers(build(PRESETS["small-resnet"], (1, 28, 28), 10)))
    assert names[:3] == ["conv1", "block1.body.0", "block1.body.3"]
    assert "block3.shortcut.0" in names


def test_filters_are_the_layers_weights() -> None:
    network = build(PRESETS["basic-cnn"], (1, 28, 28), 10)
    assert isinstance(network.conv2, nn.Conv2d)
    assert torch.equal(filters(network, "conv2"), network.conv2.weight)
    assert filters(network, "conv2").shape == (16, 8, 3, 3)
    assert not filters(network, "conv2").requires_grad
