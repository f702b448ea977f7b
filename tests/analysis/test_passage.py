"""The passage of an image: which maps are shown of each layer, and where each layer's input comes from."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cnnlab.analysis.passage import Stage, passage, reach, strongest
from cnnlab.networks.build import build
from cnnlab.networks.presets import PRESETS


def stages(name: str, by_blocks: bool = False) -> dict[str, Stage]:
    network = build(PRESETS[name], (1, 28, 28), 10).eval()
    image = torch.rand(1, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    return {stage.name: stage for stage in passage(network, image, 6, by_blocks)}


def test_a_chain_leads_from_the_image_to_the_logits() -> None:
    found = stages("basic-cnn")
    assert [stage.source for stage in found.values()] == ["", *list(found)[:-1]]
    assert found["linear1"].after.shape == (10,)
    assert found["linear1"].units == ()
    assert found["conv1"].kind == "Conv2d"


def test_rows_follow_a_map_until_the_next_convolution_by_what_is_strongest_at_their_end() -> None:
    found = stages("basic-cnn")
    assert found["conv1"].units == found["relu1"].units == found["pool1"].units
    assert found["pool1"].units == strongest(found["pool1"].after, 6)
    assert [found[name].keeps_maps for name in ("conv1", "relu1", "pool1", "conv2")] == [False, True, True, False]
    assert found["conv2"].units != found["conv1"].units


def test_a_sum_of_paths_has_no_single_source_and_a_block_can_stand_for_its_layers() -> None:
    found, blocks = stages("small-resnet"), stages("small-resnet", by_blocks=True)
    assert found["block1.activation"].source is None
    assert not found["block1.activation"].keeps_maps
    assert found["block1.body.0"].source == "relu1"
    assert {"conv1", "norm1", "relu1", "block1"} <= set(blocks)
    assert len(blocks) < len(found) / 2
    assert torch.equal(blocks["block1"].after, found["block1.activation"].after)
    assert not blocks["block1"].keeps_maps


def test_the_strongest_maps_are_those_of_the_largest_magnitude() -> None:
    maps = torch.tensor([1.0, -5.0, 0.0, 2.0])[:, None, None].expand(-1, 2, 2)
    assert strongest(maps, 2) == (1, 3)
    assert strongest(maps, 9) == (0, 1, 2, 3)
    assert strongest(torch.ones(4), 2) == ()


@pytest.mark.parametrize(("unit", "expected"), [(0, [1.0, 0.5, 0.0]), (1, [0.0, 0.0, 1.0])])
def test_a_filter_reads_its_own_groups_channels_by_its_weights(unit: int, expected: list[float]) -> None:
    layer = nn.Conv2d(4, 2, 1, groups=2)
    layer.weight.data = torch.tensor([[4.0, -2.0], [3.0, 0.0]])[:, :, None, None]
    assert reach(layer, unit, (0, 1, 2)) == expected
