from __future__ import annotations

import pytest

from cnnlab.networks.architecture import Draft, Place, follow
from cnnlab.networks.layers import (
    Activation,
    AdaptivePool2d,
    BatchNorm2d,
    Conv2d,
    DepthwiseSeparable,
    Dropout,
    Flatten,
    Layer,
    LayerNorm,
    LayerScale,
    Linear,
    MaxPool2d,
    Residual,
    Shape,
    Softmax,
)
from cnnlab.networks.lint import advise
from cnnlab.networks.presets import PRESETS

MNIST: Shape = (1, 28, 28)
CONV, RELU, NORM, POOL = Conv2d(out_channels=8, padding=1), Activation(), BatchNorm2d(), MaxPool2d()
PLAIN = Conv2d(out_channels=8, padding=1, bias=False)
LOGITS = (Flatten(), Linear(out_features="classes"))


def hints(*layers: Layer, shape: Shape = MNIST) -> dict[Place, list[str]]:
    return advise(follow(Draft(name="x", title="x", layers=layers), shape, 10), shape)


def stack(*layers: Layer) -> tuple[Layer, ...]:
    """The layers between enough others that nothing else is unwise."""
    return PLAIN, RELU, POOL, PLAIN, RELU, POOL, *layers, *LOGITS


@pytest.mark.parametrize("name", ["compact", "quick", "accurate", "lenet-5", "small-vgg", "small-resnet"])
def test_networks_that_are_well_made_get_no_hints(name: str) -> None:
    assert advise(follow(PRESETS[name], MNIST, 10), MNIST) == {}


@pytest.mark.parametrize(
    ("layers", "place", "words"),
    [
        (stack(PLAIN, PLAIN, RELU), 7, "no activation since conv3"),
        (stack(PLAIN, NORM, PLAIN, RELU), 8, "no activation since conv3"),
        ((*stack(PLAIN, RELU)[:-1], Linear(out_features=64), LOGITS[1]), 10, "no activation since linear1"),
        (stack(PLAIN, Dropout(p=0.2), NORM, RELU), 7, "dropout before norm1"),
        (stack(PLAIN, RELU, Dropout(p=0.2), PLAIN, NORM, RELU), 8, "dropout before norm1"),
        (stack(CONV, NORM, RELU), 6, "its bias has no effect"),
        ((*stack(PLAIN, RELU), Softmax()), 10, "its own softmax"),
        (stack(MaxPool2d(kernel_size=1, stride=2)), 6, "skips pixels"),
        (stack(POOL, POOL, PLAIN, RELU), 8, "mostly padding"),
        ((*(PLAIN, Activation(function="tanh")) * 5, POOL, POOL, POOL, *LOGITS), 9, "5 layers of tanh or sigmoid"),
        ((PLAIN, RELU, Flatten(), Linear(out_features=100), RELU, LOGITS[1]), 3, "100% of all parameters"),
        ((PLAIN, RELU, POOL, *LOGITS), 2, "a receptive field of 4×4 pixels, the image has 28×28"),
        ((PLAIN, RELU, AdaptivePool2d(), *LOGITS), 1, "a receptive field of 3×3 pixels"),
    ],
)
def test_what_is_unwise_is_told_at_its_layer(layers: tuple[Layer, ...], place: int, words: str) -> None:
    found = hints(*layers)
    assert any(words in hint for hint in found.get((place,), [])), found


def test_chains_within_blocks_are_advised_too() -> None:
    found = hints(*stack(Residual(body=(CONV, NORM, RELU, PLAIN, PLAIN))))
    assert "its bias has no effect" in found[(6, 0, 0)][0]
    assert "no activation since" in found[(6, 0, 4)][0]


def test_a_separable_convolution_with_its_norms_ends_in_a_function() -> None:
    assert hints(*stack(DepthwiseSeparable(out_channels=8), PLAIN, RELU)) == {}
    assert hints(*stack(DepthwiseSeparable(out_channels=8, norm=False), PLAIN, RELU))


def test_a_norm_of_each_position_is_not_linear() -> None:
    assert hints(*stack(PLAIN, LayerNorm(per_position=True), PLAIN, RELU)) == {}
    assert hints(*stack(PLAIN, LayerNorm(), PLAIN, RELU))


def test_a_layer_scale_keeps_two_convolutions_one_linear_map() -> None:
    assert "no activation since conv3" in hints(*stack(PLAIN, LayerScale(), PLAIN, RELU))[(8,)][0]


def test_a_network_that_does_not_fit_is_advised_up_to_there() -> None:
    assert hints(CONV, NORM, Linear(out_features=3), CONV, NORM)[(0,)]
    assert advise([], MNIST) == {}
