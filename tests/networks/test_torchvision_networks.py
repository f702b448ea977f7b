"""torchvision's own ResNet-18 and VGG-11 as layer lists: same numbers, same outputs."""

from __future__ import annotations

from importlib import import_module

import pytest
import torch
from torch import nn

import cnnlab.data.torchvision_compat  # noqa: F401 - torchvision loads only behind it
from cnnlab.networks.architecture import Architecture, summarise
from cnnlab.networks.backbones import resnet18
from cnnlab.networks.build import build
from cnnlab.networks.layers import (
    Activation,
    AdaptivePool2d,
    Conv2d,
    Dropout,
    Flatten,
    Layer,
    Linear,
    MaxPool2d,
)

models = import_module("torchvision.models")

IMAGENET = (3, 224, 224)
RELU = Activation()
RESNET_18: tuple[Layer, ...] = (*resnet18(), Linear(out_features="classes"))
VGG_11: tuple[Layer, ...] = (
    *(
        layer
        for stage in ((64,), (128,), (256, 256), (512, 512), (512, 512))
        for layer in (*(part for width in stage for part in (Conv2d(out_channels=width, padding=1), RELU)), MaxPool2d())
    ),
    AdaptivePool2d(output_size=7),
    Flatten(),
    *(Linear(out_features=4096), RELU, Dropout()) * 2,
    Linear(out_features="classes"),
)
REFERENCES = {
    "resnet": (RESNET_18, models.resnet18, models.ResNet18_Weights.DEFAULT.meta),
    "vgg": (VGG_11, models.vgg11, models.VGG11_Weights.DEFAULT.meta),
}


@pytest.mark.parametrize("name", REFERENCES)
def test_torchvisions_network_is_a_layer_list(name: str) -> None:
    layers, make, published = REFERENCES[name]
    architecture = Architecture(name=name, title=name, layers=layers)
    rows = summarise(architecture, IMAGENET, 1000)
    assert sum(row.parameters for row in rows) == published["num_params"]
    # In thousand millions, and with what torchvision counts beside convolutions and linear layers: hardly anything.
    assert sum(row.macs for row in rows) / 1e9 == pytest.approx(published["_ops"], rel=0.002)
    small = (3, 64, 64)
    reference: nn.Module = make(num_classes=10).eval()
    network = build(architecture, small, 10).eval()
    values = list(reference.state_dict().values())
    network.load_state_dict(dict(zip(network.state_dict(), values, strict=True)))
    images = torch.rand(2, *small)
    with torch.inference_mode():
        assert torch.allclose(network(images), reference(images), atol=1e-6)
