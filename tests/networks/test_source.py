from __future__ import annotations

import ast
import warnings
from collections.abc import Callable

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from torch import nn

from cnnlab.networks.architecture import Architecture, Draft, follow
from cnnlab.networks.backbones import convnext_tiny, lite0, mobilenet_v3_small, resnet18, resnet50
from cnnlab.networks.build import build
from cnnlab.networks.designs import read_design, write_design
from cnnlab.networks.layers import (
    Activation,
    Chain,
    Conv2d,
    Flatten,
    Layer,
    Linear,
    Parallel,
    Residual,
    Shape,
    SqueezeExcite,
)
from cnnlab.networks.presets import PRESETS
from cnnlab.networks.source import class_name, pytorch_code
from tests.networks.layer_strategies import drafts
from tests.networks.random_weights import shake

MNIST: Shape = (1, 28, 28)
LOGITS = (Flatten(), Linear(out_features="classes"))


def written(draft: Draft, shape: Shape, classes: int, seed: int = 0) -> nn.Module:
    """The network that the code makes, run as a module of its own."""
    names: dict[str, type[nn.Module]] = {}
    exec(compile(pytorch_code(draft, shape, classes), "network.py", "exec"), names)
    torch.manual_seed(seed)
    return names[class_name(draft.title)]()


def draft_of(*layers: Layer, title: str = "Net") -> Draft:
    return Draft(name="net", title=title, layers=(*layers, *LOGITS))


def assert_written_with_its_outputs(architecture: Architecture, shape: Shape) -> None:
    read = read_design(write_design(architecture))
    assert read.layers == architecture.layers
    network = build(Architecture.model_validate(read.model_dump()), shape, 10).eval()
    shake(network)
    other = written(read, shape, 10, seed=1).eval()
    other.load_state_dict(network.state_dict())
    images = torch.rand(3, *shape)
    assert torch.equal(other(images), network(images))


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("shape", [MNIST, (3, 32, 32)], ids=str)
def test_a_preset_goes_through_json_network_and_code_with_equal_outputs(name: str, shape: Shape) -> None:
    assert_written_with_its_outputs(PRESETS[name], shape)


@pytest.mark.parametrize("backbone", [lite0, resnet18, resnet50, mobilenet_v3_small, convnext_tiny])
def test_a_backbone_goes_through_json_network_and_code_with_equal_outputs(backbone: Callable[[], Chain]) -> None:
    network = Architecture(name="b", title="Backbone", layers=(*backbone(), Linear(out_features="classes")))
    assert_written_with_its_outputs(network, (3, 33, 33))


@pytest.mark.parametrize("name", PRESETS)
def test_a_seed_gives_the_written_network_the_same_weights(name: str) -> None:
    weights = build(PRESETS[name], MNIST, 10, seed=7).state_dict()
    other = written(PRESETS[name], MNIST, 10, seed=7).state_dict()
    assert list(weights) == list(other)
    assert all(torch.equal(weights[key], other[key]) for key in weights)


@settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
@given(drafts())
def test_any_network_that_fits_is_written_with_its_outputs(drawn: tuple[Draft, Shape, int]) -> None:
    draft, shape, classes = drawn
    if any(row.problem for row in follow(draft, shape, classes)):
        return
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Using padding='same' with even kernel lengths")
        network = build(Architecture.model_validate(draft.model_dump()), shape, classes).eval()
        other = written(draft, shape, classes).eval()
        other.load_state_dict(network.state_dict())
        images = torch.rand(2, *shape)
        assert torch.equal(other(images), network(images))


def test_shapes_stand_where_they_change() -> None:
    code = pytorch_code(draft_of(Conv2d(out_channels=8), Activation()), MNIST, 10)
    lines = [line.strip() for line in code.splitlines()]
    assert "x = self.conv1(x)  # (N, 8, 26, 26)" in lines
    assert "x = self.relu1(x)" in lines
    assert "logits: Tensor = self.linear1(x)  # (N, 10)" in lines


def test_initial_weights_are_drawn_as_asked_also_within_blocks() -> None:
    inner = Conv2d(out_channels=1, padding=1, init="uniform", spread=0.2)
    code = pytorch_code(draft_of(Residual(body=(inner,)), Conv2d(out_channels=2, init="kaiming-normal")), MNIST, 10)
    assert "nn.init.uniform_(self.block1.body[0].weight, a=-0.2, b=0.2)" in code
    assert 'nn.init.kaiming_normal_(self.conv1.weight, nonlinearity="relu")' in code


def test_a_seed_draws_the_same_weights_also_within_blocks() -> None:
    inner = (
        Conv2d(out_channels=3, init="kaiming-normal"),
        Activation(),
        Conv2d(out_channels=1, padding=2, init="normal"),
    )
    draft = draft_of(Residual(body=inner), Parallel(paths=((Residual(body=inner),), inner)))
    weights = build(Architecture.model_validate(draft.model_dump()), MNIST, 10, seed=7).state_dict()
    other = written(draft, MNIST, 10, seed=7).state_dict()
    assert all(torch.equal(weights[key], other[key]) for key in weights)


def test_only_the_blocks_that_are_used_are_written() -> None:
    plain = pytorch_code(draft_of(Conv2d(out_channels=2)), MNIST, 10)
    assert "Block" not in plain
    block = Parallel(paths=((SqueezeExcite(),), ()))
    code = pytorch_code(draft_of(block), MNIST, 10)
    assert "class ParallelBlock" in code
    assert "class SqueezeExciteBlock" in code
    assert "class ResidualBlock" not in code
    assert "import torch\n" in code


@pytest.mark.parametrize("title", ["", "7 layers", "nn", "Tensor", 'a """ b', "class", "naïve Δ-net\x00\n", "None"])
def test_any_title_gives_code_that_runs(title: str) -> None:
    draft = draft_of(Conv2d(out_channels=2), title=title).model_copy(update={"description": title + '\\"'})
    ast.parse(pytorch_code(draft, MNIST, 10))
    assert written(draft, MNIST, 10)(torch.rand(1, *MNIST)).shape == (1, 10)
