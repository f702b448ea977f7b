from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from cnnlab.data.loading import Data
from cnnlab.evaluation.evaluate import evaluate
from cnnlab.training.balance import balanced_sample, class_weights, loss_function
from tests.samples import few_digits
from tests.training.trainings import UNIT, config, train, weights_of

LABELS = torch.tensor([0] * 60 + [1] * 30 + [3] * 10)


def test_weights_are_inverse_to_the_classes_sizes_with_a_mean_of_1_over_the_images() -> None:
    weights = class_weights(LABELS, 5)
    assert weights.tolist() == pytest.approx([100 / 180, 100 / 90, 0, 100 / 30, 0])
    assert weights[LABELS].mean() == pytest.approx(1)


def test_equal_classes_weigh_1() -> None:
    assert class_weights(torch.arange(30) % 3, 3).tolist() == [1, 1, 1]


def test_a_balanced_sample_has_as_many_images_and_each_class_equally_often() -> None:
    chosen = balanced_sample(LABELS.repeat(30), torch.Generator().manual_seed(0))
    assert len(chosen) == 3000
    counts = LABELS.repeat(30)[chosen].bincount(minlength=4)
    assert counts[2] == 0
    assert counts[[0, 1, 3]].tolist() == pytest.approx([1000] * 3, abs=100)
    assert len(chosen.unique()) < 3000


def test_no_weights_are_in_the_loss_unless_they_are_asked_for() -> None:
    assert loss_function(config(), LABELS, 4).weight is None
    weighed = loss_function(config(class_balance="weights", label_smoothing=0.1), LABELS, 4)
    assert weighed.weight is not None
    assert weighed.label_smoothing == 0.1


def mostly_noughts() -> Data:
    """Ten noughts for each other digit."""
    data = few_digits(train=2000, held_out=200)
    rare = torch.cat([(data.train.labels == digit).nonzero()[:10, 0] for digit in range(1, 10)])
    return replace(data, train=data.train.part(torch.cat([(data.train.labels == 0).nonzero()[:100, 0], rare])))


@pytest.mark.parametrize("balance", ["weights", "sampling"])
def test_rare_classes_are_learned_sooner(balance: str) -> None:
    data, settings = mostly_noughts(), {"epochs": 4, "schedule": "constant", "normalise": "unit"}
    plain, balanced = (
        evaluate(train(config(**settings, class_balance=way), data)[0], data.test, UNIT) for way in ("none", balance)
    )
    assert sum(balanced.per_class[1:]) > sum(plain.per_class[1:])


def test_the_training_loss_is_told_without_weights() -> None:
    data = mostly_noughts()
    still = config(
        epochs=1,
        learning_rate=1e-12,
        optimizer="sgd",
        schedule="constant",
        class_balance="weights",
        precision="float32",  # so that both losses are told to as many digits
    )
    network, events = train(still, replace(data, validation=data.train))
    (epoch,) = [event for event in events if event.kind == "epoch"]
    assert epoch.train_loss == pytest.approx(epoch.validation_loss, rel=1e-4)
    assert not torch.equal(weights_of(network), weights_of(train(config(epochs=1), data)[0]))
