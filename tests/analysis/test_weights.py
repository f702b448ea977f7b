from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from cnnlab.analysis.weights import conv_layers, filters, gradients_by_layer, norms, relative_change, weights_by_layer
from cnnlab.jobs.worker import completed
from cnnlab.networks.build import build
from cnnlab.networks.presets import PRESETS


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


def test_a_norm_is_the_length_of_a_filter() -> None:
    assert norms(torch.tensor([[[[3.0, 4.0]]], [[[0.0, 0.0]]]])).tolist() == [5.0, 0.0]


def test_gradients_are_those_of_backward_and_leave_the_networks_own_alone() -> None:
    network = build(PRESETS["basic-cnn"], (1, 28, 28), 10)
    inputs, labels = torch.rand(4, 1, 28, 28), torch.tensor([0, 1, 2, 3])
    found = completed(gradients_by_layer(network, inputs, labels))
    assert all(parameter.grad is None for parameter in network.parameters())
    F.cross_entropy(network(inputs), labels).backward()
    assert list(found) == list(weights_by_layer(network)) == ["conv1", "conv2", "linear1"]
    for name, gradient in found.items():
        assert torch.allclose(gradient, network.get_submodule(name).weight.grad)  # type: ignore[arg-type]


def test_gradients_of_few_images_at_once_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    network = build(PRESETS["basic-cnn"], (1, 28, 28), 10).eval()
    inputs, labels = torch.rand(5, 1, 28, 28), torch.tensor([0, 1, 2, 3, 4])
    whole = completed(gradients_by_layer(network, inputs, labels))
    monkeypatch.setattr("cnnlab.analysis.activations.KEPT_BYTES", 0)  # one at a time
    parts = list(gradients_by_layer(network, inputs, labels))
    assert [part.done for part in parts] == [0.2, 0.4, 0.6, 0.8, 1.0, 1.0]
    assert all(torch.allclose(completed(parts)[name], gradient, atol=1e-7) for name, gradient in whole.items())


def test_change_is_a_share_of_the_length_before() -> None:
    before = {"a": torch.tensor([3.0, 4.0]), "b": torch.zeros(2)}
    after = {"a": torch.tensor([3.0, 3.0]), "b": torch.zeros(2)}
    assert relative_change(before, after) == pytest.approx({"a": 0.2, "b": 0.0})
