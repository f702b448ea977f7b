from __future__ import annotations

import pytest
import torch
from torch import nn

from cnnlab.evaluation.evaluate import evaluate
from cnnlab.training.checkpoint import Checkpoint, CheckpointError
from cnnlab.training.weight_average import WeightAverage
from tests.samples import few_digits
from tests.training.trainings import UNIT, began, config, until, weights_of


def test_the_average_follows_the_weights_and_soon_forgets_the_first() -> None:
    network = nn.Linear(1, 1, bias=False)
    average = WeightAverage(network, decay=0.5)
    expected = 0.0
    for step in range(1, 30):
        with torch.no_grad():
            network.weight.fill_(step)
        average.update(step)
        decay = min(0.5, (step - 1) / (step + 8))
        expected = decay * expected + (1 - decay) * step
        assert average.aside["weight"].item() == pytest.approx(expected)
    assert expected == pytest.approx(28, abs=0.01)  # where the decay is constant it lags d / (1 − d) steps behind


def test_norms_are_averaged_and_their_counter_is_copied() -> None:
    network = nn.BatchNorm1d(2)
    average = WeightAverage(network, decay=0.9)
    for step in (1, 2):
        network(torch.full((4, 2), 10.0 * step) + torch.randn(4, 2))
        average.update(step)
    assert average.aside["num_batches_tracked"] == 2
    assert network.running_mean is not None
    assert not torch.equal(average.aside["running_mean"], network.running_mean)


def test_swapped_twice_everything_is_as_it_was() -> None:
    network = nn.Linear(2, 2)
    average = WeightAverage(network, decay=0.9)
    with torch.no_grad():
        network.weight += 1
    weights, aside = network.weight.clone(), average.aside["weight"].clone()
    average.swap()
    assert torch.equal(network.weight, aside)
    average.swap()
    assert torch.equal(network.weight, weights)


def test_without_a_decay_nothing_is_kept() -> None:
    average = WeightAverage(nn.Linear(2, 2), decay=0)
    average.update(1)
    average.swap()
    assert average.aside == {}


def test_the_average_is_what_is_validated_and_kept_while_the_weights_train_as_ever() -> None:
    plain, averaged = began(config(normalise="unit")), began(config(normalise="unit", weight_average=0.9))
    until(plain, 1)
    (*_, epoch) = until(averaged, 1)
    assert epoch.kind == "epoch"
    assert torch.equal(
        averaged.checkpoint().tensors["trained.conv1.weight"], plain.network.get_parameter("conv1.weight")
    )
    assert not torch.equal(weights_of(averaged.network), weights_of(plain.network))
    assert evaluate(averaged.network, few_digits().validation, UNIT).loss == epoch.validation_loss


def test_a_checkpoint_without_the_weights_that_train_is_refused() -> None:
    half = began(config(weight_average=0.9))
    until(half, 1)
    kept = half.checkpoint()
    tensors = {name: tensor for name, tensor in kept.tensors.items() if name != "trained.conv1.weight"}
    with pytest.raises(CheckpointError, match="does not fit"):
        began(config(weight_average=0.9)).restore(Checkpoint(tensors, kept.progress))
