from __future__ import annotations

from threading import Thread
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnnlab.networks.architecture import Architecture
from cnnlab.networks.build import ACTIVATIONS, build, layer_module, seed_dropout
from cnnlab.networks.layers import Activation, Conv2d, Flatten, Layer, Linear, Residual
from cnnlab.networks.modules import Dropout, MaxPool2d, ResidualBlock
from cnnlab.networks.presets import PRESETS

SHAPE = (1, 28, 28)


def weights(seed: int, name: str = "conv2d-tour") -> dict[str, Tensor]:
    return build(PRESETS[name], SHAPE, 10, seed).state_dict()


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return all(torch.equal(first[name], second[name]) for name in first)


def test_a_seed_decides_the_weights() -> None:
    assert same(weights(3), weights(3))
    assert not same(weights(3), weights(4))


def test_building_leaves_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    weights(0)
    assert torch.equal(torch.get_rng_state(), before)


def test_networks_built_side_by_side_get_the_weights_they_get_alone() -> None:
    built: dict[int, dict[str, Tensor]] = {}

    def work(seed: int) -> None:
        built[seed] = weights(seed)

    threads = [Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(same(built[seed], weights(seed)) for seed in built)


def test_layers_keep_their_given_names() -> None:
    layers: tuple[Layer, ...] = (Conv2d(name="edges", out_channels=2), Flatten(), Linear(out_features="classes"))
    network = build(Architecture(name="x", title="x", layers=layers), SHAPE, 10)
    assert [name for name, _ in network.named_children()] == ["edges", "flatten1", "linear1"]


def test_dropout_zeroes_its_share_and_keeps_the_mean() -> None:
    dropout = Dropout(0.3, channels=False)
    out = dropout(torch.ones(100_000))
    assert (out == 0).float().mean().item() == pytest.approx(0.3, abs=0.01)
    assert out.mean().item() == pytest.approx(1, abs=0.01)
    assert torch.equal(dropout.eval()(torch.ones(5)), torch.ones(5))


def test_channel_dropout_zeroes_whole_maps() -> None:
    out = Dropout(0.5, channels=True)(torch.ones(50, 20, 4, 4))
    assert set(out.mean((2, 3)).unique().tolist()) == {0.0, 2.0}


def test_dropout_draws_from_its_own_generator() -> None:
    network = nn.Sequential(Dropout(0.5, channels=False))

    def draw() -> Tensor:
        seed_dropout(network, 5, torch.device("cpu"))
        return torch.cat([network(torch.ones(50)) for _ in range(2)])

    first = draw()
    torch.rand(3)  # somebody else uses torch's global generator
    assert torch.equal(draw(), first)


@pytest.mark.parametrize("p", [0.1, 0.5])
@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last], ids=str)
@pytest.mark.parametrize("channels", [False, True])
def test_dropout_is_pytorchs_own_with_the_same_seed(
    p: float, kind: torch.dtype, layout: torch.memory_format, channels: bool
) -> None:
    x = torch.randn(6, 20, 5, 5).to(kind).contiguous(memory_format=layout)
    own, theirs = Dropout(p, channels), (nn.Dropout2d if channels else nn.Dropout)(p)
    seed_dropout(own, 5, torch.device("cpu"))
    with torch.random.fork_rng():
        torch.manual_seed(5)
        assert all(torch.equal(own(x), theirs(x)) for _ in range(3))


@pytest.mark.parametrize("function", ACTIVATIONS)
def test_every_activation_is_built(function: str) -> None:
    module = layer_module(Activation.model_validate({"function": function}), (4,), 10)
    assert type(module) is ACTIVATIONS[function]


def test_a_residual_block_adds_its_shortcut() -> None:
    block = layer_module(Residual(body=(Conv2d(out_channels=2, padding=1),)), (2, 4, 4), 10).eval()
    x = torch.randn(1, 2, 4, 4)
    assert isinstance(block, ResidualBlock)
    assert torch.allclose(block(x), torch.relu(block.body(x) + x))
    projected = layer_module(Residual(body=(Conv2d(out_channels=4, padding=1, stride=2),)), (2, 4, 4), 10).eval()
    assert isinstance(projected, ResidualBlock)
    assert torch.allclose(projected(x), torch.relu(projected.body(x) + projected.shortcut(x)))
    assert projected(x).shape == (1, 4, 2, 2)


POOLS: list[dict[str, Any]] = [
    {"kernel_size": 2},
    {"kernel_size": (2, 2), "stride": 2},
    {"kernel_size": 2, "stride": 1},
    {"kernel_size": 2, "padding": 1},
    {"kernel_size": 2, "dilation": 2},
    {"kernel_size": 2, "ceil_mode": True},
    {"kernel_size": 3},
]


@pytest.mark.parametrize("settings", POOLS, ids=str)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_max_pool_gives_the_numbers_and_gradients_of_pytorchs(
    settings: dict[str, Any], layout: torch.memory_format
) -> None:
    own, usual = MaxPool2d(**settings), nn.MaxPool2d(**settings)
    for shape in ((2, 3, 8, 8), (1, 1, 7, 9)):
        maps = torch.randn(shape, generator=torch.Generator().manual_seed(0)).relu().contiguous(memory_format=layout)
        with torch.inference_mode():
            assert torch.equal(own(maps), usual(maps))
        gradients = [torch.autograd.grad(pool(maps.requires_grad_()).sum(), maps)[0] for pool in (own, usual)]
        assert torch.equal(*gradients)


@pytest.mark.parametrize("shape", [(1, 2, 1, 8), (1, 2, 8, 1), (1, 2, 0, 8), (1, 0, 8, 8), (8, 8), (1, 1, 2, 8, 8)])
def test_a_max_pool_refuses_what_pytorchs_does(shape: tuple[int, ...]) -> None:
    with torch.inference_mode(), pytest.raises(RuntimeError):
        MaxPool2d(2)(torch.zeros(shape))


def test_a_max_pool_that_halves_maps_does_without_pytorchs(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = layer_module(PRESETS["lean"].layers[4], (32, 14, 14), 10)
    assert isinstance(pool, nn.MaxPool2d)
    monkeypatch.setattr(nn.MaxPool2d, "forward", None)
    with torch.inference_mode():
        assert pool(torch.ones(1, 32, 14, 14)).shape == (1, 32, 7, 7)


def test_initialisations_have_their_spread() -> None:
    uniform = layer_module(Linear(out_features=300, init="xavier-uniform"), (200,), 10)
    assert isinstance(uniform, nn.Linear)
    bound = (6 / (200 + 300)) ** 0.5
    assert 0.99 * bound < uniform.weight.abs().max().item() <= bound
    normal = layer_module(Conv2d(out_channels=64, init="kaiming-normal"), (32, 8, 8), 10)
    assert isinstance(normal, nn.Conv2d)
    assert normal.weight.std().item() == pytest.approx((2 / (32 * 9)) ** 0.5, rel=0.03)
