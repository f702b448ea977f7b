from __future__ import annotations

import torch
from torch import nn

from cnnlab.networks.build import layer_module
from cnnlab.networks.layers import SqueezeExcite

SHAPE = (16, 4, 4)


def test_the_channels_within_a_gate_are_set_or_follow_from_the_reduction() -> None:
    assert SqueezeExcite(reduction=4).shape_formula(SHAPE, 10) == "keeps 16×4×4; the gate: 16 → 4 → 16"
    layer = SqueezeExcite(reduction=4, squeezed=24)
    assert layer.shape_formula(SHAPE, 10) == "keeps 16×4×4; the gate: 16 → 24 → 16"
    assert layer.parameters(SHAPE, 10) == 2 * 16 * 24 + 24 + 16
    assert layer.macs(SHAPE, 10) == 2 * 16 * 24


def test_a_gate_ends_in_the_function_that_is_asked_for() -> None:
    maps = torch.rand(2, *SHAPE)
    for layer, expected in (
        (SqueezeExcite(), nn.functional.sigmoid),
        (SqueezeExcite(gate="hard-sigmoid"), nn.functional.hardsigmoid),
    ):
        block = layer_module(layer, SHAPE, 10)
        gate = block.get_submodule("gate")
        assert isinstance(gate, nn.Sequential)
        assert torch.equal(block(maps), maps * expected(gate[:-1](maps)))


def test_a_gate_has_the_function_within_that_is_asked_for() -> None:
    gate = layer_module(SqueezeExcite(within="silu"), SHAPE, 10).get_submodule("gate")
    assert [type(module).__name__ for module in gate.children()][2:] == ["SiLU", "Conv2d", "Sigmoid"]


def test_a_file_that_knows_neither_setting_is_read_as_before() -> None:
    layer = SqueezeExcite.model_validate({"kind": "squeeze-excite", "reduction": 8})
    assert (layer.squeezed, layer.within, layer.gate) == (None, "relu", "sigmoid")
