from __future__ import annotations

import pytest
import torch
from torch import nn

from cnnlab.analysis.feature_visualization import maximise
from cnnlab.networks.build import build
from cnnlab.networks.presets import PRESETS


def identity(pixels: torch.Tensor) -> torch.Tensor:
    return pixels


def test_what_a_known_unit_likes_is_found() -> None:
    layer = nn.Linear(16 * 16, 2, bias=False)
    likes = torch.ones(16, 16)
    likes[:, 8:] = -1  # bright on the left, dark on the right
    layer.weight.data = torch.stack([torch.zeros(256), likes.flatten()])
    network = nn.Sequential(nn.Flatten(), layer).eval()
    dreams = list(maximise(network, (1, 16, 16), identity, "1", unit=1, steps=100))
    assert [dream.step for dream in dreams] == list(range(1, 101))
    assert dreams[-1].activation > dreams[0].activation + 50
    image = dreams[-1].image
    assert image.shape == (1, 16, 16)
    assert image[0, :, 2:6].min() > 0.8
    assert image[0, :, 10:14].max() < 0.2


@pytest.mark.parametrize(("layer", "unit"), [("conv2", 5), ("linear1", 7)])
def test_a_presets_units_are_excited_more_and_more_and_the_network_is_as_before(layer: str, unit: int) -> None:
    network = build(PRESETS["compact"], (3, 32, 32), 10).eval()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    dreams = list(maximise(network, (3, 32, 32), identity, layer, unit, steps=40))
    assert dreams[-1].activation > dreams[0].activation
    assert 0 <= dreams[-1].image.min() <= dreams[-1].image.max() <= 1
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())
    assert not any(module._forward_hooks for module in network.modules())


def test_stopping_early_leaves_no_hook() -> None:
    network = build(PRESETS["compact"], (1, 28, 28), 10).eval()
    steps = maximise(network, (1, 28, 28), identity, "conv1", 0)
    next(steps)
    assert not any(module._forward_hooks for module in network.modules())


def test_the_same_seed_grows_the_same_image() -> None:
    network = build(PRESETS["basic-cnn"], (1, 28, 28), 10).eval()
    first, second, other = (
        list(maximise(network, (1, 28, 28), identity, "conv2", 3, seed, steps=5))[-1].image for seed in (0, 0, 1)
    )
    assert torch.equal(first, second)
    assert not torch.equal(first, other)
