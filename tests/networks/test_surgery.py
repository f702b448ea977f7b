"""Weights after operations: a pure function, whose filters that are off give zeros for every image."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from cnnlab.networks.architecture import Architecture
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
    Residual,
    SqueezeExcite,
)
from cnnlab.networks.operations import Operation
from cnnlab.networks.presets import PRESETS
from cnnlab.networks.pruning import strongest
from cnnlab.networks.surgery import SurgeryError, Weights, filters_off, operated, parts_of
from tests.networks.random_weights import shake

SHAPE = (1, 28, 28)
CONV = Conv2d(out_channels=8, padding=1)
RELU = Activation()


def shaken(architecture: Architecture, seed: int = 0) -> nn.Sequential:
    network = build(architecture, SHAPE, 10).eval()
    shake(network, seed)
    return network


def listed(*layers: Layer) -> Architecture:
    return Architecture(name="listed", title="Listed", layers=(*layers, Flatten(), Linear(out_features="classes")))


def nowhere(source: str) -> Weights:
    raise AssertionError(source)


def after(network: nn.Sequential, *operations: Operation) -> dict[str, Tensor]:
    return operated(parts_of(network), network.state_dict(), operations, nowhere)


@pytest.mark.parametrize(
    "architecture",
    [
        *(PRESETS[name] for name in ("lean", "quick", "seven-step-mnist")),
        listed(CONV, MaxPool2d(), BatchNorm2d(affine=False), RELU, CONV),
        listed(CONV, GroupNorm(groups=2), RELU, CONV, LayerNorm(per_position=True), RELU),
        listed(CONV, LayerNorm(), Conv2d(out_channels=8, groups=8), RELU, DepthwiseSeparable(out_channels=6)),
        listed(CONV, Residual(body=(CONV, BatchNorm2d(), RELU, CONV, BatchNorm2d()))),
    ],
    ids=lambda architecture: architecture.name,
)
def test_a_filter_that_is_off_gives_zeros_after_its_norms_and_others_stay(architecture: Architecture) -> None:
    network = shaken(architecture)
    silent = build(architecture, SHAPE, 10).eval()
    images = torch.randn(3, *SHAPE, generator=torch.Generator().manual_seed(0))
    for part in parts_of(network).values():
        if not part.can_be_off:
            continue
        weights = after(network, Operation(kind="off", layer=part.name, filters=(1, 3)))
        silent.load_state_dict(weights)
        last = (part.name, *part.norms)[-1]
        found = outputs(silent, last, images)
        assert not found[:, [1, 3]].any(), part
        assert filters_off(part, weights) == (1, 3)
        if not part.norms:
            assert torch.equal(found[:, [0, 2]], outputs(network, last, images)[:, [0, 2]])


def outputs(network: nn.Sequential, layer: str, images: Tensor) -> Tensor:
    seen: list[Tensor] = []
    hook = network.get_submodule(layer).register_forward_hook(lambda module, inputs, output: seen.append(output))
    with torch.inference_mode():
        network(images)
    hook.remove()
    return seen[0]


def test_the_given_weights_stay_and_unchanged_tensors_are_shared() -> None:
    network = shaken(PRESETS["lean"])
    weights = network.state_dict()
    before = {name: tensor.clone() for name, tensor in weights.items()}
    steps = [Operation(kind="prune", share=0.5), Operation(kind="off", layer="conv1", filters=(0,))]
    result = operated(parts_of(network), weights, steps, nowhere)
    assert all(torch.equal(weights[name], before[name]) for name in weights)
    assert result["linear1.weight"] is weights["linear1.weight"]
    unchanged = network.state_dict()
    again = operated(parts_of(network), weights, steps, nowhere)
    assert all(torch.equal(result[name], again[name]) for name in weights)
    assert all(tensor is unchanged[name] for name, tensor in operated({}, unchanged, (), nowhere).items())


def test_a_whole_layer_can_be_off_but_not_the_logits() -> None:
    network = shaken(PRESETS["lean"])
    assert filters_off(parts_of(network)["conv2"], after(network, Operation(kind="off", layer="conv2"))) == (
        *range(32),
    )
    with pytest.raises(SurgeryError, match="linear1 cannot be switched off"):
        after(network, Operation(kind="off", layer="linear1"))


@pytest.mark.parametrize("preset", ["lean", "basic-cnn"])
def test_filters_that_are_on_again_are_as_they_were_trained(preset: str) -> None:
    network = shaken(PRESETS[preset])
    off = Operation(kind="off", layer="conv2", filters=(1, 3, 5))
    some = after(network, off, Operation(kind="on", layer="conv2", filters=(3, 5)))
    assert filters_off(parts_of(network)["conv2"], some) == (1,)
    everything = after(network, off, Operation(kind="on", layer="conv2", filters=(1, 3, 5)))
    whole = after(network, Operation(kind="prune", share=0.5), Operation(kind="on", layer="conv2"))
    for name, tensor in network.state_dict().items():
        assert torch.equal(everything[name], tensor)
        assert torch.equal(whole[name], tensor) or not name.startswith(("conv2.", "norm2."))


@pytest.mark.parametrize("layer", ["squeeze1.gate.3", "conv2"])
def test_what_makes_something_of_zero_cannot_be_off(layer: str) -> None:
    network = shaken(listed(CONV, SqueezeExcite(), CONV, GroupNorm(affine=False), RELU))
    assert not parts_of(network)[layer].can_be_off


def test_pruning_switches_off_the_filters_that_a_smaller_network_lacks() -> None:
    network = shaken(PRESETS["lean"])
    kept = strongest(PRESETS["lean"], SHAPE, 10, network.state_dict(), 0.75).outputs
    weights = after(network, Operation(kind="prune", share=0.25))
    for part in parts_of(network).values():
        expected = (~kept[part.name]).nonzero().flatten().tolist() if part.is_convolution else []
        assert list(filters_off(part, weights)) == expected


def test_a_swapped_layer_brings_its_norm_along_and_nothing_else() -> None:
    network, other = shaken(PRESETS["lean"]), shaken(PRESETS["lean"], seed=1)
    theirs = other.state_dict()
    swap = Operation(kind="swap", layer="conv2", source="run@3")
    asked: list[str] = []

    def source(name: str) -> Weights:
        asked.append(name)
        return theirs

    weights = operated(parts_of(network), network.state_dict(), [swap], source)
    own = network.state_dict()
    for name, tensor in weights.items():
        assert torch.equal(tensor, (theirs if name.startswith(("conv2.", "norm2.")) else own)[name])
    assert asked == ["run@3"]


@pytest.mark.parametrize(
    ("step", "told"),
    [
        (Operation(kind="off", layer="conv9"), "no convolution or linear layer 'conv9'"),
        (Operation(kind="off", layer="conv1", filters=(16,)), "conv1 has 16 filters"),
        (Operation(kind="swap", layer="conv1", source="run@1"), "no layer conv1 of this size"),
    ],
)
def test_a_step_that_does_not_fit_is_refused(step: Operation, told: str) -> None:
    network = shaken(PRESETS["lean"])
    with pytest.raises(SurgeryError, match=told):
        operated(
            parts_of(network), network.state_dict(), [step], lambda source: shaken(PRESETS["compact"]).state_dict()
        )
