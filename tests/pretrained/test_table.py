from __future__ import annotations

import pytest

from cnnlab.networks.architecture import Architecture, summarise
from cnnlab.networks.layers import Resize
from cnnlab.pretrained.table import BACKBONES, NETWORKS


@pytest.mark.parametrize("name", BACKBONES)
def test_a_backbones_network_takes_any_images_and_comes_back_from_a_design(name: str) -> None:
    network = BACKBONES[name].network(96)
    assert isinstance(network.layers[0], Resize)
    for shape in ((1, 28, 28), (3, 32, 32), (3, 224, 224)):
        rows = summarise(network, shape, 7)
        assert rows[0].output_shape == (shape[0], 96, 96)
        assert rows[-1].output_shape == (7,)
    assert Architecture.model_validate_json(network.model_dump_json()) == network


def test_networks_are_presets_and_backbones() -> None:
    assert NETWORKS["lite0"].title == "EfficientNet-Lite0"
    assert "compact" in NETWORKS
