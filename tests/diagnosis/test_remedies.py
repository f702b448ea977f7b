from __future__ import annotations

from cnnlab.diagnosis.remedies import WIDER, leaky, rectified, restarted, widened
from cnnlab.networks.architecture import Architecture
from cnnlab.networks.layers import Activation, Conv2d, Flatten, Linear

NETWORK = Architecture(
    name="mixed",
    title="Mixed",
    layers=(
        Conv2d(out_channels=2),
        Activation(function="relu"),
        Activation(function="tanh"),
        Flatten(),
        Linear(out_features=3),
        Linear(out_features="classes"),
    ),
)


def functions(architecture: Architecture) -> list[str]:
    return [layer.function for layer in architecture.layers if isinstance(layer, Activation)]


def inits(architecture: Architecture) -> list[str]:
    return [layer.init for layer in architecture.layers if isinstance(layer, (Conv2d, Linear))]


def test_only_what_saturates_becomes_relu_and_only_relu_becomes_leaky() -> None:
    assert functions(rectified(NETWORK)) == ["relu", "relu"]
    assert functions(leaky(NETWORK)) == ["leaky-relu", "tanh"]


def test_layers_are_widened_but_for_the_one_that_answers() -> None:
    wide = widened(NETWORK)
    assert [layer.out_channels for layer in wide.layers if isinstance(layer, Conv2d)] == [2 * WIDER]
    assert [layer.out_features for layer in wide.layers if isinstance(layer, Linear)] == [3 * WIDER, "classes"]


def test_first_weights_become_the_usual_ones_or_kaiming_s_where_they_are() -> None:
    again = restarted(NETWORK)
    assert set(inits(NETWORK)) == {"default"}
    assert set(inits(again)) == {"kaiming-normal"}
    assert set(inits(restarted(again))) == {"default"}
