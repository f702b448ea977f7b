"""Backbones as layer lists: the numbers and the outputs of the networks that they were published as."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

import pytest
import torch
from torch import nn

import cnnlab.data.torchvision_compat  # noqa: F401 - torchvision, which timm needs too, loads only behind it
from cnnlab.networks.architecture import Architecture, summarise
from cnnlab.networks.backbones import convnext_tiny, lite0, mobilenet_v3_small, resnet18, resnet50
from cnnlab.networks.build import build
from cnnlab.networks.layers import Chain, Linear
from cnnlab.pretrained.weights import in_our_order
from tests.networks.random_weights import shake

models = import_module("torchvision.models")


def timms_lite0() -> nn.Module:
    timm = pytest.importorskip("timm", reason="timm is not installed")
    network: nn.Module = timm.create_model("tf_efficientnet_lite0", bn_momentum=0.01)  # as TensorFlow trained it
    return network


REFERENCES: dict[str, tuple[Callable[[], Chain], Callable[[], nn.Module]]] = {
    "lite0": (lite0, timms_lite0),
    "resnet18": (resnet18, models.resnet18),
    "resnet50": (resnet50, models.resnet50),
    "mobilenet_v3_small": (mobilenet_v3_small, models.mobilenet_v3_small),
    "convnext_tiny": (convnext_tiny, models.convnext_tiny),
}


def norms(network: nn.Module) -> list[tuple[float, float | None]]:
    """Epsilon, which hardly shows in features, and momentum, which shows only in training."""
    found = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d | nn.LayerNorm)]
    return [(norm.eps, getattr(norm, "momentum", None)) for norm in found]


@pytest.mark.parametrize("side", [97])  # odd, so that sides are padded unequally
@pytest.mark.parametrize("name", REFERENCES)
def test_a_backbone_has_the_numbers_and_the_features_of_its_reference(name: str, side: int) -> None:
    backbone, make = REFERENCES[name]
    network = Architecture(name="b", title="B", layers=(*backbone(), Linear(out_features="classes")))
    ours, reference = build(network, (3, side, side), 1000).eval(), make().eval()
    shake(reference)
    own, values = ours.state_dict(), in_our_order(reference.state_dict())
    # ConvNeXt's 1×1 convolutions are linear there.
    ours.load_state_dict({key: value.reshape(own[key].shape) for key, value in zip(own, values, strict=True)})
    assert norms(ours) == norms(reference)
    numbers = sum(parameter.numel() for parameter in reference.parameters())
    assert sum(row.parameters for row in summarise(network, (3, side, side), 1000)) == numbers
    last = [key for key, module in reference.named_modules() if isinstance(module, nn.Linear)][-1]
    reference.set_submodule(last, nn.Identity())
    images = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.inference_mode():
        features = reference(images)
        scale = features.abs().max()
        assert features.std(dim=0).max() > 1e-3 * scale  # the images matter
        assert torch.allclose(ours[:-1](images) / scale, features / scale, atol=1e-6)
