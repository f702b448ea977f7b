"""What a network keeps of an image for its gradients."""

from __future__ import annotations

import pytest

from cnnlab.networks.architecture import Architecture, ArchitectureError, summarise
from cnnlab.networks.kept import kept_bytes
from cnnlab.networks.layers import Activation, BatchNorm2d, Conv2d, Flatten, Linear, MaxPool2d
from cnnlab.networks.presets import PRESETS

IMAGE = 3 * 16 * 16 * 4  # bytes
MAP = 8 * 16 * 16 * 4
HEAD = (Flatten(), Linear(out_features="classes"))


def kept(*layers: object, learn_from: str = "") -> int:
    return kept_bytes(Architecture(name="own", title="Own", layers=(*layers, *HEAD)), (3, 16, 16), 10, learn_from)


def conv() -> Conv2d:
    return Conv2d(out_channels=8, kernel_size=3, padding="same")


def test_a_layer_with_weights_keeps_its_input() -> None:
    assert kept(conv()) == IMAGE + MAP  # the second is what the last layer sees


def test_what_two_layers_keep_is_counted_once() -> None:
    assert kept(conv(), Activation()) == IMAGE + MAP
    assert kept(conv(), Activation(), conv()) == IMAGE + 2 * MAP


def test_batch_norm_keeps_its_input_too() -> None:
    assert kept(conv(), BatchNorm2d(), Activation()) == pytest.approx(IMAGE + 2 * MAP, rel=0.01)


def test_max_pooling_keeps_where_the_maxima_are_in_64_bits() -> None:
    quarter = MAP // 4
    assert kept(conv(), MaxPool2d(kernel_size=2)) == IMAGE + MAP + 2 * quarter + quarter


def test_layers_that_do_not_learn_keep_nothing() -> None:
    assert kept(conv(), Activation(), conv(), learn_from="conv2") == 2 * MAP


@pytest.mark.parametrize("name", PRESETS)
def test_no_preset_keeps_much_more_than_all_its_outputs(name: str) -> None:
    outputs = sum(row.activation_bytes for row in summarise(PRESETS[name], (1, 28, 28), 10))
    assert outputs / 3 < kept_bytes(PRESETS[name], (1, 28, 28), 10) < 2 * outputs


def test_a_layer_that_does_not_fit_is_named() -> None:
    with pytest.raises(ArchitectureError, match="Layer 1"):
        kept(Conv2d(out_channels=8, kernel_size=33))
