from __future__ import annotations

from cnnlab.networks.architecture import Architecture, Draft
from cnnlab.networks.layers import Activation, BatchNorm2d, Conv2d, Flatten, Linear, Resize
from cnnlab.networks.presets import PRESETS
from cnnlab.pretrained.matching import alike, backbones_for, cuts, longest_backbone, started_layers
from cnnlab.pretrained.table import BACKBONES

LITE0 = BACKBONES["lite0"]


def test_a_backbone_fits_networks_that_begin_as_it_does_whatever_their_size_and_names() -> None:
    first, *others = LITE0.layers()
    named = first.model_copy(update={"name": "stem"})
    cut = Architecture(
        name="cut",
        title="Cut",
        layers=(Resize(size=64), named, *others[:30], Flatten(), Linear(out_features="classes")),
    )
    assert backbones_for(LITE0.network(96)) == backbones_for(LITE0.original()) == backbones_for(cut) == [LITE0]
    assert not any(backbones_for(preset) for preset in PRESETS.values())


def test_layers_are_alike_up_to_the_first_that_differs() -> None:
    first = (Conv2d(out_channels=4), BatchNorm2d(), Activation(), Flatten())
    assert alike(first, first) == 4
    assert alike(first, (Resize(size=9), *first[:2], Activation(function="gelu"), Flatten())) == 2
    assert alike(first, ()) == 0


def test_a_network_may_be_cut_at_what_has_weights_but_not_at_its_first_layer() -> None:
    layers = (Conv2d(out_channels=4), Activation(), Conv2d(out_channels=4), Flatten(), Linear(out_features="classes"))
    assert cuts(Draft(name="d", title="d", layers=layers)) == ["conv2", "linear1"]
    assert cuts(LITE0.network())[-1] == "linear1"


def test_layers_that_begin_with_published_weights_are_named_with_the_resizing_before_them() -> None:
    own = (Resize(size=32), *LITE0.layers()[:6], Resize(size=8), Flatten(), Linear(out_features="classes"))
    network = Draft(name="d", title="d", layers=own)
    names = [name for name, _ in network.named_layers]
    assert started_layers(network, "lite0") == names[:8]
    assert longest_backbone(network) == 8
    assert started_layers(LITE0.network(), "lite0")[-1] == "flatten1"
    assert longest_backbone(Draft(name="d", title="d", layers=own[-2:])) == 0
