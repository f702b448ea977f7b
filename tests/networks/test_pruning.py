"""A network without its weakest filters answers as the whole one with these filters at zero."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from cnnlab.networks.architecture import Architecture, ArchitectureError, Draft, summarise
from cnnlab.networks.build import build
from cnnlab.networks.layers import (
    Activation,
    BatchNorm2d,
    Conv2d,
    DepthwiseSeparable,
    Flatten,
    GroupNorm,
    Layer,
    LayerNorm,
    Linear,
    MaxPool2d,
    Parallel,
    Residual,
    Shape,
    SqueezeExcite,
)
from cnnlab.networks.presets import PRESETS
from cnnlab.networks.pruning import PruningError, pruned, strongest
from tests.networks.layer_strategies import drafts
from tests.networks.random_weights import shake

MOST = 200_000  # numbers in a drawn network's weights


def shaken(architecture: Architecture, shape: Shape, classes: int = 10) -> nn.Sequential:
    network = build(architecture, shape, classes).eval()
    shake(network)
    return network


def listed(*layers: Layer) -> Architecture:
    return Architecture(name="listed", title="Listed", layers=(*layers, Flatten(), Linear(out_features="classes")))


def silenced(network: nn.Sequential, outputs: dict[str, Tensor]) -> dict[str, Tensor]:
    """The network's weights with all that makes or shifts the other outputs at zero."""
    weights = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    for name, tensor in weights.items():
        module, _, kind = name.rpartition(".")
        if kind in ("weight", "bias", "running_mean") and module in outputs:
            tensor[~outputs[module]] = 0
    return weights


def check(architecture: Architecture, shape: Shape, classes: int, keep: float) -> Architecture:
    """The pruned network equals the silenced one. Returns it."""
    network = shaken(architecture, shape, classes)
    narrow, weights = pruned(architecture, shape, classes, network.state_dict(), keep)
    small = build(narrow, shape, classes).eval()
    small.load_state_dict(weights)
    outputs = strongest(architecture, shape, classes, network.state_dict(), keep).outputs
    images = torch.randn(3, *shape, generator=torch.Generator().manual_seed(0))
    network.load_state_dict(silenced(network, outputs))
    with torch.inference_mode():
        expected, found = network.double()(images.double()), small.double()(images.double())
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    return narrow


@pytest.mark.parametrize("name", PRESETS)
def test_presets_lose_filters_and_nothing_else(name: str) -> None:
    shape = (3, 32, 32) if name == "colour" else (1, 28, 28)
    narrow = check(PRESETS[name], shape, 10, 0.5)
    costs = [
        sum(row.parameters for row in summarise(architecture, shape, 10)) for architecture in (PRESETS[name], narrow)
    ]
    assert costs[1] < costs[0]
    assert narrow.name == f"{name}-pruned"


@settings(deadline=None, max_examples=150)
@given(drafts(), st.sampled_from([0.25, 0.5, 0.75]))
def test_drawn_networks_lose_filters_and_nothing_else(drawn: tuple[Draft, Shape, int], keep: float) -> None:
    draft, shape, classes = drawn
    try:
        architecture = Architecture.model_validate(dict(draft))
        rows = summarise(architecture, shape, classes)
    except (ArchitectureError, ValueError):
        assume(False)
    assume(sum(row.parameters for row in rows) < MOST)
    try:
        check(architecture, shape, classes, keep)
    except PruningError as refusal:
        assert "has no filter to remove" in str(refusal)


@pytest.mark.parametrize("name", PRESETS)
def test_all_filters_kept_are_the_same_network(name: str) -> None:
    weights = shaken(PRESETS[name], (1, 28, 28)).state_dict()
    same, kept = pruned(PRESETS[name], (1, 28, 28), 10, weights, 1.0)
    assert same == PRESETS[name]
    assert kept.keys() == weights.keys()
    assert all(torch.equal(kept[name], weights[name]) for name in weights)


CONV = Conv2d(out_channels=8, padding=1)
RELU = Activation()


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ((CONV, CONV), [4, 4]),
        ((CONV, Conv2d(out_channels=16, groups=8), CONV), [4, 8, 4]),  # depthwise, two filters a channel
        ((CONV, Conv2d(out_channels=8, groups=2), CONV), [8, 8, 4]),
        ((CONV, SqueezeExcite(reduction=2)), [4]),
        ((CONV, DepthwiseSeparable(out_channels=6)), [4, 3]),
        ((CONV, GroupNorm(groups=2), RELU, CONV), [8, 4]),
        ((CONV, LayerNorm(per_position=True), CONV), [8, 4]),
        ((CONV, Activation(function="sigmoid"), CONV), [8, 4]),
        ((CONV, Residual(body=(CONV, RELU, CONV)), CONV), [8, 4, 8, 4]),
        ((CONV, Residual(body=(Conv2d(out_channels=6, padding=1),))), [4, 6]),  # a projection takes fewer channels
        ((CONV, Residual(body=(Conv2d(out_channels=4, padding=1),)), CONV), [8, 4, 4]),  # unless none would be left
        ((CONV, Parallel(paths=((CONV,), ())), CONV), [4, 4, 4]),
        ((CONV, Parallel(paths=((CONV, GroupNorm()), ())), CONV), [4, 8, 4]),
        ((Conv2d(out_channels=1), CONV), [1, 4]),
    ],
)
def test_what_something_joins_stays_whole(layers: tuple[Layer, ...], expected: list[int]) -> None:
    narrow = check(listed(*layers), (3, 12, 12), 4, 0.5)
    assert list(widths(narrow.layers)) == expected


def widths(layers: Iterable[Layer]) -> Iterator[int]:
    """How many filters each convolution has, those within blocks too."""
    for layer in layers:
        if isinstance(layer, Conv2d | DepthwiseSeparable):
            yield layer.out_channels
        for chain in layer.chains.values():
            yield from widths(chain)


def test_the_strongest_filters_stay_in_order_and_a_norm_decides_with_them() -> None:
    architecture = listed(Conv2d(out_channels=4, kernel_size=1, bias=False), MaxPool2d(), BatchNorm2d(), RELU)
    weights = {name: tensor.clone() for name, tensor in build(architecture, (1, 4, 4), 3).state_dict().items()}
    weights["conv1.weight"][:, 0, 0, 0] = torch.tensor([1.0, -4.0, 2.0, 3.0])
    weights["norm1.weight"][:] = torch.tensor([1.0, 1.0, -3.0, 0.1])
    narrow, kept = pruned(architecture, (1, 4, 4), 3, weights, 0.5)
    assert kept["conv1.weight"].flatten().tolist() == [-4.0, 2.0]
    assert kept["norm1.weight"].tolist() == [1.0, -3.0]
    assert kept["linear1.weight"].shape == (3, 2 * 2 * 2)  # two channels of 2×2
    assert torch.equal(kept["linear1.weight"], weights["linear1.weight"][:, 4:12])
    assert narrow.layers[0] == Conv2d(out_channels=2, kernel_size=1, bias=False)


@pytest.mark.parametrize(
    "layers",
    [(), (Conv2d(out_channels=1),), (Residual(body=(Conv2d(out_channels=3, padding=1),)),), (CONV, LayerNorm())],
)
def test_a_network_without_a_filter_to_cut_is_refused(layers: tuple[Layer, ...]) -> None:
    architecture = listed(*layers)
    with pytest.raises(PruningError, match="the network listed has no filter to remove"):
        pruned(architecture, (3, 8, 8), 5, shaken(architecture, (3, 8, 8), 5).state_dict(), 0.5)
