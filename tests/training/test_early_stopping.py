from __future__ import annotations

import pytest

from cnnlab.data.batches import Standardise
from cnnlab.evaluation.evaluate import evaluate
from tests.samples import few_digits
from tests.training.trainings import began, config, gone_on, measured, train


def test_early_stopping_ends_with_the_best_epochs_weights() -> None:
    settings = config(epochs=200, early_stopping=2, optimizer="sgd", learning_rate=0.1, schedule="constant")
    data = few_digits()
    network, events = train(settings, data)
    epochs = [event for event in events if event.kind == "epoch"]
    losses = [event.validation_loss for event in epochs]
    end = events[-1]
    assert end.kind == "finished"
    assert end.stopped_early
    assert end.epoch == losses.index(min(losses)) + 1 == len(losses) - 2
    spec = data.spec
    assert evaluate(network, data.validation, Standardise(spec.mean, spec.std)).loss == pytest.approx(min(losses))


def test_training_that_was_over_early_is_over_when_it_goes_on() -> None:
    settings = config(epochs=200, early_stopping=2, optimizer="sgd", learning_rate=0.1, schedule="constant")
    half = began(settings)
    last = measured(list(half.events()))[-1]
    assert [event["kind"] for event in measured(list(gone_on(half).events()))] == ["started", "finished"]
    assert measured(list(gone_on(half).events()))[-1] == last
