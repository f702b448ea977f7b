from __future__ import annotations

import torch

from cnnlab.networks.architecture import Architecture, receptive_fields
from cnnlab.networks.build import layer_module
from cnnlab.networks.layers import Conv2d, Flatten, Linear, Resize


def test_images_grow_and_shrink_to_the_size() -> None:
    for side in (4, 16, 40):
        layer = Resize(size=16)
        images = torch.rand(2, 3, side, side)
        resized = layer_module(layer, (3, side, side), 10)(images)
        assert resized.shape[1:] == layer.output_shape((3, side, side), 10) == (3, 16, 16)
        assert torch.equal(resized, images) == (side == 16)


def test_a_plane_stays_a_plane_and_shrinking_takes_means() -> None:
    grown = layer_module(Resize(size=12), (1, 6, 6), 10)(torch.arange(6.0).expand(1, 1, 6, 6))
    assert torch.allclose(grown[..., 1:-1].diff(dim=3), torch.tensor(0.5))
    stripes = torch.tensor([0.0, 1.0]).repeat(8).expand(1, 1, 16, 16)
    shrunk = layer_module(Resize(size=4), (1, 16, 16), 10)(stripes)
    assert (shrunk - 0.5).abs().max() < 0.05  # without smoothing it would be all 0 or all 1


def test_receptive_fields_are_counted_in_pixels_of_the_image() -> None:
    network = Architecture(
        name="n",
        title="n",
        layers=(Resize(size=32), Conv2d(out_channels=2, kernel_size=9), Flatten(), Linear(out_features="classes")),
    )
    rows = receptive_fields(network, (1, 8, 8), 10)
    assert rows["resize1"].whole_size == (2, 2)
    assert rows["conv1"].whole_size == (4, 4)  # nine new pixels span two old ones, and each looks at one more
    assert rows["conv1"].box(0, 0) == (-1, -1, 3, 3)
    assert receptive_fields(network, (1, 32, 32), 10)["conv1"].box(3, 4) == (3, 4, 12, 13)


def test_sixteen_bits_are_resized_too() -> None:
    images = torch.rand(1, 2, 6, 6).bfloat16()
    resized = layer_module(Resize(size=4), (2, 6, 6), 10)(images)
    assert resized.dtype == torch.bfloat16
    assert torch.equal(resized, layer_module(Resize(size=4), (2, 6, 6), 10)(images.float()).bfloat16())
