from __future__ import annotations

from itertools import chain
from typing import Any
from unittest.mock import patch

import pytest
import torch
from torch import Tensor, nn

from cnnlab.analysis.activations import (
    LayerStatistics,
    classes_of,
    convolution_of,
    feature_maps,
    images_at_once,
    in_batches,
    leaves,
    look,
    penultimate,
    relu_of,
    statistics,
    strongest_patches,
    watched,
)
from cnnlab.data.splits import Split
from cnnlab.jobs.worker import completed
from cnnlab.networks.architecture import Architecture, receptive_fields
from cnnlab.networks.build import build
from cnnlab.networks.layers import Conv2d, Flatten, Linear, Resize
from cnnlab.networks.presets import PRESETS
from cnnlab.networks.receptive_field import ReceptiveField

SHAPES = [(1, 28, 28), (3, 32, 32), (3, 224, 224)]


def images(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def hand_made() -> nn.Sequential:
    """One filter that copies, one that its bias keeps below zero for pixels in 0…1, one that negates."""
    conv = nn.Conv2d(1, 3, 1)
    conv.weight.data = torch.tensor([1.0, 1.0, -1.0]).view(3, 1, 1, 1)
    conv.bias = nn.Parameter(torch.tensor([0.0, -2.0, 0.0]))
    return nn.Sequential(conv, nn.ReLU(), nn.Flatten(), nn.Linear(12, 2)).eval()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", PRESETS)
def test_what_is_seen_is_what_hooks_on_the_same_layers_see(name: str, shape: tuple[int, int, int]) -> None:
    network = build(PRESETS[name], shape, 10).eval()
    inputs = images(1, *shape)
    expected: dict[str, tuple[Tensor, Tensor]] = {}

    def remember(layer: str) -> Any:
        return lambda module, args, out: expected.__setitem__(layer, (args[0].detach(), out.detach()))

    handles = [
        module.register_forward_hook(remember(layer))
        for layer, module in network.named_modules()
        if not list(module.children()) and not isinstance(module, nn.Sequential)
    ]
    with torch.no_grad():
        network(inputs)
    for handle in handles:
        handle.remove()
    seen = look(network, inputs)
    assert list(seen) == list(expected)
    for layer, (before, after) in expected.items():
        assert torch.allclose(seen[layer].before, before, atol=1e-6)
        assert torch.allclose(seen[layer].after, after, atol=1e-6)
    assert list(feature_maps(network, inputs)) == [name for name, (_, out) in expected.items() if out.dim() == 4]


def measured(network: nn.Module, inputs: Tensor) -> list[LayerStatistics]:
    """The statistics over inputs, given one at a time."""
    with patch("cnnlab.analysis.activations.BATCH", 1):
        return completed(statistics(network, Split(inputs, torch.zeros(len(inputs))), lambda batch: batch))


@pytest.mark.parametrize("training", [True, False])
def test_looking_changes_nothing(training: bool) -> None:
    network = build(PRESETS["compact"], (1, 28, 28), 10).eval()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    network.requires_grad_(training)
    look(network, images(1, 1, 28, 28))
    measured(network, images(2, 1, 28, 28))
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    assert not any(module._forward_hooks for module in network.modules())
    assert not network.training
    assert all(parameter.grad is None for parameter in network.parameters())


def test_no_hook_is_left_when_the_pass_fails() -> None:
    network = build(PRESETS["compact"], (1, 28, 28), 10)
    with pytest.raises(RuntimeError), watched(network, lambda name, before, after: None):
        network(images(1, 3, 28, 28))
    assert not any(module._forward_hooks for module in network.modules())


def test_statistics_of_a_hand_made_network_are_known() -> None:
    pixels = torch.tensor([[0.0, 0.5], [0.5, 1.0]]).view(1, 1, 2, 2)
    rows = {row.name: row for row in measured(hand_made(), torch.cat([pixels, pixels]))}
    relu = rows["1"]  # copies 0, 0.5, 0.5, 1; the other two channels are all zero
    assert (relu.kind, relu.units, relu.dead) == ("ReLU", 3, (1, 2))
    assert relu.mean == pytest.approx(2 / 12)
    assert relu.zeros == pytest.approx(9 / 12)
    assert relu.deviation == pytest.approx((1.5 / 12 - (2 / 12) ** 2) ** 0.5)
    assert rows["0"].dead is None
    assert rows["2"].units == 12


def test_statistics_need_an_image() -> None:
    with pytest.raises(ValueError, match="at least one image"):
        measured(hand_made(), torch.zeros(0, 1, 2, 2))


def test_a_convolutions_relu_is_found_past_pool_and_norm_and_back() -> None:
    network = build(PRESETS["compact"], (1, 28, 28), 10)
    assert relu_of(network, "conv1") == "relu1"
    assert convolution_of(network, "relu1") == convolution_of(network, "norm1") == "conv1"
    assert convolution_of(network, "linear1") is None
    residual = build(PRESETS["small-resnet"], (1, 28, 28), 10)
    assert relu_of(residual, "block1.body.0") == "block1.body.2"
    assert relu_of(residual, "block1.body.3") is None  # it is summed with the shortcut first
    assert convolution_of(residual, "block1.body.2") == "block1.body.0"
    assert convolution_of(residual, "block1.activation") is None
    assert convolution_of(residual, "pool1") is None
    assert relu_of(build(PRESETS["lenet-5"], (1, 28, 28), 10), "conv1") is None


def test_the_strongest_patches_are_where_the_pattern_is() -> None:
    conv = nn.Conv2d(1, 2, 3, padding=1, bias=False)
    conv.weight.data.zero_()
    conv.weight.data[1, 0] = torch.tensor([[0.0, 1, 0], [1, 1, 1], [0, 1, 0]])  # a cross
    network = nn.Sequential(conv).eval()
    pictures = torch.zeros(4, 1, 8, 8, dtype=torch.uint8)
    pictures[2, 0, 3:6, 5] = pictures[2, 0, 4, 4:7] = 255  # a cross around row 4, column 5
    pictures[3, 0, 0, 0:2] = 255  # half of one, in a corner
    field = ReceptiveField().through([((3, 3), (1, 1), (1, 1), (1, 1))], (1, 8, 8))
    split = Split(pictures, torch.zeros(4))
    parts = list(strongest_patches(network, "0", 1, split, lambda batch: batch / 255, field, count=9))
    first, second, *rest = completed(parts)
    assert parts[-1].done == 1
    assert (first.image, first.value, len(rest)) == (2, 5.0, 2)
    assert first.pixels[0].tolist() == [[0, 255, 0], [255, 255, 255], [0, 255, 0]]
    assert (second.image, second.value) == (3, 2.0)
    assert second.pixels[0].tolist() == [[0, 0, 0], [0, 255, 255], [0, 0, 0]]  # black beyond the edge


def test_where_a_place_sees_more_than_the_image_its_patch_is_the_image() -> None:
    layers = (Resize(size=16), Conv2d(out_channels=1, kernel_size=(13, 3), padding="same"))
    chain = Architecture(name="large", title="Large", layers=(*layers, Flatten(), Linear(out_features="classes")))
    network = build(chain, (1, 4, 4), 3).eval()
    field = receptive_fields(chain, (1, 4, 4), 3)["conv1"]
    split = Split(torch.randint(0, 256, (3, 1, 4, 4), dtype=torch.uint8), torch.zeros(3))
    patches = completed(strongest_patches(network, "conv1", 0, split, lambda batch: batch / 255, field))
    assert {tuple(found.pixels.shape) for found in patches} == {(1, 4, 3)}


@pytest.mark.parametrize("name", PRESETS)
def test_what_an_output_sees_lies_in_its_receptive_field(name: str) -> None:
    shape = (3, 64, 64)
    network = build(PRESETS[name], shape, 10).eval()
    fields = receptive_fields(PRESETS[name], shape, 10)
    inputs = images(1, *shape).requires_grad_()
    outputs: dict[str, Tensor] = {}
    with watched(network, lambda layer, before, after: outputs.__setitem__(layer, after)):
        network(inputs)
    known = set(chain(fields, (f"{layer}.activation" for layer in fields)))
    assert set(leaves(network)) <= known
    for layer, field in fields.items():
        if layer not in outputs or outputs[layer].dim() != 4:
            continue
        height, width = outputs[layer].shape[2:]
        for row, column in ((0, 0), (height // 2, width // 2), (height - 1, width - 1)):
            (gradient,) = torch.autograd.grad(outputs[layer][0, :, row, column].sum(), inputs, retain_graph=True)
            rows, columns = gradient[0].abs().sum(0).nonzero().unbind(1)
            top, left, bottom, right = field.box(row, column)
            if len(rows):
                assert top <= rows.min() and rows.max() < bottom
                assert left <= columns.min() and columns.max() < right


@pytest.mark.parametrize("name", PRESETS)
def test_penultimate_features_are_what_the_last_layer_gets(name: str) -> None:
    network = build(PRESETS[name], (1, 28, 28), 10).eval()
    images = torch.randint(0, 256, (5, 1, 28, 28), dtype=torch.uint8)
    features = penultimate(network, images, lambda batch: batch / 255)
    *_, last = look(network, images / 255).values()
    assert torch.allclose(features, last.before, atol=1e-6)
    assert torch.equal(classes_of(network, features), last.after.argmax(1))
    assert not any(module._forward_hooks for module in network.modules())


def test_images_whose_maps_are_large_come_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    network = build(PRESETS["compact"], (1, 28, 28), 10).eval()
    pictures = torch.randint(0, 256, (7, 1, 28, 28), dtype=torch.uint8)
    one = sum(seen.after.nbytes for seen in look(network, pictures[:1] / 255).values())
    monkeypatch.setattr("cnnlab.analysis.activations.KEPT_BYTES", 3 * one)
    assert [images_at_once(network, pictures[:1] / 255, most) for most in (2, 9)] == [2, 3]
    for images in (pictures, Split(pictures, torch.zeros(7))):
        batches = list(in_batches(network, images, lambda batch: batch / 255))
        assert [len(batch) for batch in batches] == [3, 3, 1]
        assert torch.equal(torch.cat(batches), pictures / 255)


@pytest.mark.parametrize("activation", [nn.ReLU, nn.ReLU6])
def test_dead_units_are_found_behind_either_relu(activation: type[nn.Module]) -> None:
    conv = nn.Conv2d(1, 2, 1)
    conv.weight.data.fill_(9)
    assert conv.bias is not None
    conv.bias.data = torch.tensor([0.0, -99.0])
    network = nn.Sequential(conv, activation()).eval()
    assert [row.dead for row in measured(network, torch.rand(3, 1, 4, 4))] == [None, (1,)]
    assert relu_of(network, "0") == "1"
