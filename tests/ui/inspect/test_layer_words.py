"""What is said of each kind of layer."""

from __future__ import annotations

import pytest
from torch import nn

from cnnlab.analysis.activations import leaves
from cnnlab.networks.architecture import Architecture
from cnnlab.networks.backbones import lite0
from cnnlab.networks.build import build, layer_module
from cnnlab.networks.layers import MODULES, LayerError, Linear, Resize
from cnnlab.networks.layers.registry import KINDS
from cnnlab.networks.presets import PRESETS
from cnnlab.ui.inspect.layer_words import SAYS

DEEP = Architecture(name="deep", title="Deep", layers=(Resize(size=128), *lite0(), Linear(out_features="classes")))


def kinds(network: nn.Module) -> set[str]:
    return {type(module).__name__ for module in leaves(nn.Sequential(network)).values()}


@pytest.mark.parametrize("architecture", [*PRESETS.values(), DEEP], ids=lambda architecture: architecture.name)
def test_each_layer_of_a_network_is_explained(architecture: Architecture) -> None:
    assert kinds(build(architecture, (3, 32, 32), 10)) <= set(SAYS)


@pytest.mark.parametrize("kind", KINDS)
def test_each_layer_that_a_design_may_have_is_explained(kind: str) -> None:
    fitting = 0
    for fields in KINDS[kind].examples.values():
        for shape in ((8, 8, 8), (16,)):
            try:
                module = layer_module(KINDS[kind](**fields), shape, 10)
            except LayerError:
                continue
            fitting += 1
            assert kinds(module) <= set(SAYS)
    assert fitting


def test_each_activation_is_explained() -> None:
    assert set(MODULES.values()) <= set(SAYS)
