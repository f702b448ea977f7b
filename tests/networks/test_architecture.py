from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from cnnlab.networks.architecture import Architecture, ArchitectureError, summarise
from cnnlab.networks.build import build
from cnnlab.networks.layers import Conv2d, Flatten, Linear, MaxPool2d
from cnnlab.networks.presets import PRESETS

MNIST = (1, 28, 28)

# Counted by hand from the tutorials' and LeCun's layer tables.
PUBLISHED = {
    "basic-cnn": (1 * 8 * 9 + 8) + (8 * 16 * 9 + 16) + (16 * 7 * 7 * 10 + 10),
    "classification-snippet": (1 * 16 * 9 + 16) + (16 * 32 * 9 + 32) + (32 * 7 * 7 * 10 + 10),
    "seven-step-mnist": (20 * 25 + 20) + (20 * 50 * 25 + 50) + (50 * 4 * 4 * 500 + 500) + (500 * 10 + 10),
    "fashion-part-3": (16 * 9 + 16)
    + (16 * 16 * 9 + 16)
    + (16 * 32 * 25 + 32)
    + (32 * 32 * 25 + 32)
    + (32 * 2 * 2 * 256 + 256)
    + (256 * 128 + 128)
    + (128 * 10 + 10),
    "conv2d-tour": (32 * 9 + 32)
    + (32 * 64 * 9 + 64)
    + (64 * 128 * 9 + 128)
    + (128 * 4 * 4 * 625 + 625)
    + (625 * 10 + 10),
    "lenet-5": 61_706,
}


@pytest.mark.parametrize("name", PRESETS)
def test_a_presets_summary_is_what_the_built_network_does(name: str) -> None:
    preset = PRESETS[name]
    assert preset.name == name
    for shape in (MNIST, (3, 32, 32)):
        rows = summarise(preset, shape, 10)
        network = build(preset, shape, 10).eval()
        assert [row.name for row in rows] == [child for child, _ in network.named_children()]
        x = torch.zeros(1, *shape)
        for row, module in zip(rows, network, strict=True):
            given = _bytes_given(module, x)
            x = module(x)
            assert row.output_shape == tuple(x.shape[1:])
            assert row.activation_bytes == given
            assert row.parameters == sum(parameter.numel() for parameter in module.parameters())


def _bytes_given(module: nn.Module, x: torch.Tensor) -> int:
    """By ``module``, or the layers within it."""
    given: list[int] = []
    leaves = [
        layer for layer in module.modules() if not list(layer.children()) and not isinstance(layer, nn.Sequential)
    ]
    hooks = [
        layer.register_forward_hook(lambda layer, args, out: given.append(out.numel() * out.element_size()))
        for layer in leaves
    ]
    module(x)
    for hook in hooks:
        hook.remove()
    return sum(given)


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_tutorials_network_has_its_published_size(name: str) -> None:
    assert sum(row.parameters for row in summarise(PRESETS[name], MNIST, 10)) == PUBLISHED[name]


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_survives_json(name: str) -> None:
    preset = PRESETS[name]
    assert Architecture.model_validate_json(preset.model_dump_json()) == preset


def test_the_fashion_networks_flatten_is_inferred() -> None:
    rows = {row.name: row for row in summarise(PRESETS["fashion-part-3"], MNIST, 10)}
    assert rows["pool2"].output_shape == (32, 2, 2)  # the tutorial wrote 32·5·5
    assert rows["flatten1"].output_shape == (128,)


def test_the_conv2d_tours_third_pool_is_padded() -> None:
    rows = {row.name: row for row in summarise(PRESETS["conv2d-tour"], MNIST, 10)}
    assert rows["pool3"].output_shape == (128, 4, 4)


@pytest.mark.parametrize("name", ["compact", "small-vgg", "small-resnet", "conv2d-tour"])
def test_the_receptive_field_is_what_gradients_reach(name: str) -> None:
    shape = (1, 64, 64)
    network = build(PRESETS[name], shape, 10).eval()
    rows = summarise(PRESETS[name], shape, 10)
    last = max(number for number, row in enumerate(rows) if len(row.output_shape) == 3 and row.output_shape[1] > 1)
    # Among many filters and noise no pixel of the field keeps a zero gradient, unless max pools hide it.
    reached = torch.zeros(64, 64, dtype=torch.bool)
    for _ in range(15):
        image = torch.randn(1, *shape, requires_grad=True)
        maps = network[: last + 1](image)
        middle = maps.shape[2] // 2
        maps[0, :, middle, middle].sum().backward()
        assert image.grad is not None
        reached |= image.grad[0, 0] != 0
    rows_reached = int(reached.any(1).sum())
    assert rows_reached <= rows[last].receptive_field[0]
    assert rows_reached >= min(rows[last].receptive_field[0], 64) - 2


def test_a_layer_that_does_not_fit_is_named() -> None:
    with pytest.raises(ArchitectureError, match=r"Layer 8 \(conv4\): kernel 5×5 does not fit its 2×2 input"):
        summarise(PRESETS["fashion-part-3"], (1, 16, 16), 10)


def test_the_last_layer_must_give_the_logits() -> None:
    with pytest.raises(ValidationError, match="gives the logits"):
        Architecture(name="x", title="x", layers=(Flatten(), Linear(out_features=10)))


def test_two_layers_cannot_share_a_name() -> None:
    layers = (Conv2d(name="pool1", out_channels=1), MaxPool2d(), Flatten(), Linear(out_features="classes"))
    with pytest.raises(ValidationError, match="'pool1'"):
        Architecture(name="x", title="x", layers=layers)
