"""Backbones as layer lists: the numbers and the outputs of the networks that they were published as."""

from __future__ import annotations

import pytest
import torch

import cnnlab.data.torchvision_compat  # noqa: F401 - timm needs torchvision, which loads only behind it
from cnnlab.networks.architecture import Architecture
from cnnlab.networks.backbones import lite0
from cnnlab.networks.build import build
from cnnlab.networks.layers import Linear


@pytest.mark.parametrize("side", [64, 97])
def test_lite0_is_timms_own(side: int) -> None:
    timm = pytest.importorskip("timm", reason="timm is not installed")
    network = Architecture(name="lite0", title="Lite0", layers=(*lite0(), Linear(out_features="classes")))
    assert len(network.layers) == 71
    reference = timm.create_model("tf_efficientnet_lite0").eval()
    ours = build(network, (3, side, side), 1000).eval()
    values = list(reference.state_dict().values())
    assert len(values) == 296
    ours.load_state_dict(dict(zip(ours.state_dict(), values, strict=True)))
    images = torch.rand(2, 3, side, side) * 2 - 1
    with torch.inference_mode():
        features = reference.forward_head(reference.forward_features(images), pre_logits=True)
        assert torch.allclose(ours[:-1](images), features, atol=1e-6)
