from __future__ import annotations

import pytest

from cnnlab.networks.layers import (
    BatchNorm1d,
    Flatten,
    Layer,
    Linear,
)
from cnnlab.training.remedy import TrainingError
from tests.training.trainings import config, ending_in_logits, train


def test_where_the_first_weights_already_fail_the_layer_is_named_and_no_other_rate_advised() -> None:
    wild: list[Layer] = [Flatten(), *(Linear(out_features=64, init="normal", spread=10.0) for _ in range(30))]
    with pytest.raises(TrainingError, match=r"first weights linear\d+ gives .* no learning rate helps") as failure:
        train(config(architecture=ending_in_logits(*wild), learning_rate=1e-5, precision="float32"))
    assert "lower the learning rate" not in str(failure.value)


def test_where_the_first_weights_are_hopeless_no_lower_rate_is_advised() -> None:
    wild = ending_in_logits(Flatten(), *(Linear(out_features=64, init="normal", spread=10.0) for _ in range(4)))
    with pytest.raises(TrainingError, match=r"diverges: .* no lower learning rate helps: lower the standard deviation"):
        train(config(architecture=wild, optimizer="sgd", learning_rate=1e-30, epochs=3, precision="float32"))


def test_where_batch_norm_learns_too_slowly_to_be_judged_no_rate_is_advised() -> None:
    layers: list[Layer] = [Flatten()]
    for _ in range(20):
        layers += [Linear(out_features=64, init="normal", spread=10.0), BatchNorm1d(momentum=1e-9)]
    settings = config(architecture=ending_in_logits(*layers), epochs=2, learning_rate=1e-5, precision="float32")
    with pytest.raises(TrainingError, match=r"validation loss is not finite after epoch 1: already with its first"):
        train(settings)
