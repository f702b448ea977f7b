"""What the browser is sent of a convolution is what PyTorch has, and never too much."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from cnnlab.learn.conv2d import EXAMPLES, Example
from cnnlab.learn.convolution import Worked, fresh, work
from cnnlab.learn.sample_images import picture_of
from cnnlab.networks.layers import Conv2d
from cnnlab.ui.widgets.sliding_window import Scene
from cnnlab.ui.widgets.window_scene import MOST_NUMBERS, scene_of, told_of

LARGE = Example(  # as the chapter's form can be set, at the most
    "Large", Conv2d(out_channels=64, kernel_size=15, padding=16, padding_mode="circular"), (1, 64, 100, 100), ""
)


def worked(example: Example) -> Worked:
    module = fresh(example.layer, example.shape[1:])
    return work(picture_of(example.shape[1:]), example.layer, module.weight, module.bias)


def unpacked(data: dict[str, Any], name: str, kind: str = "<f4") -> npt.NDArray[Any]:
    return np.frombuffer(b64decode(data[name]), kind)


@pytest.mark.parametrize("example", [*EXAMPLES.values(), LARGE], ids=[*EXAMPLES, "large"])
def test_the_browser_gets_pytorchs_numbers_bit_for_bit_and_a_bounded_count(example: Example) -> None:
    parts = worked(example)
    scene = scene_of(parts, example.shape[1] == 3)
    data = scene.data()
    assert scene.numbers <= MOST_NUMBERS
    assert np.array_equal(unpacked(data, "output"), parts.output.flatten().numpy())
    assert data["output_size"] == list(parts.output.shape)
    kept = len(data["names"])
    assert np.array_equal(unpacked(data, "planes"), parts.padded[:kept].flatten().numpy())
    if scene.products is not None:
        assert np.array_equal(unpacked(data, "sums"), parts.sums[:kept].flatten().numpy())
        products = torch.stack([parts.products(channel) for channel in range(kept)])
        assert np.array_equal(unpacked(data, "products"), products.flatten().numpy())
    if scene.rest is not None:
        total = unpacked(data, "sums").reshape(kept, -1).sum(0) + unpacked(data, "rest") + (scene.bias or 0)
        assert total == pytest.approx(parts.output.flatten().numpy(), abs=1e-5)
    assert bool(told_of(scene, parts)) == (scene.products is None or kept < len(parts.padded))


def test_colours_are_named_and_groups_have_their_own() -> None:
    depthwise = EXAMPLES["depthwise"]
    module = fresh(depthwise.layer, depthwise.shape[1:])
    image = picture_of(depthwise.shape[1:])
    assert scene_of(worked(EXAMPLES["colour"]), True).names == ["Red", "Green", "Blue"]
    parts = work(image, depthwise.layer, module.weight, module.bias, channel=2)
    assert (parts.channels, scene_of(parts, True).tints) == ((2,), [(90, 140, 255)])


def test_padding_is_told_with_where_it_was_copied_from() -> None:
    parts = worked(EXAMPLES["reflect"])
    data = scene_of(parts, True).data()
    assert data["border"] == [2, 2, 2, 2]
    assert np.array_equal(unpacked(data, "origin", "<i4"), parts.origin.flatten().numpy())
    assert scene_of(worked(EXAMPLES["digit"]), False).data()["origin"] is None


def test_a_window_begins_at_the_strongest_answer() -> None:
    parts = worked(EXAMPLES["digit"])
    row, column = scene_of(parts, False).data()["begin"]
    assert abs(parts.output[row, column]) == parts.output.abs().max()


def test_a_pool_needs_neither_weights_nor_products() -> None:
    pixels = torch.rand(1, 6, 6)
    scene = Scene(
        planes=pixels.numpy(),
        names=[""],
        output=torch.nn.functional.max_pool2d(pixels, 2)[0].numpy(),
        kernel=(2, 2),
        stride=(2, 2),
        result="largest",
    )
    data = scene.data()
    assert data["products"] is data["weights"] is data["sums"] is data["bias"] is None
    assert scene.numbers == 36 + 9
