from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from cnnlab.networks.build import build
from cnnlab.training.config import ConfigError, RunConfig, parse_config
from cnnlab.training.loop import fit
from cnnlab.training.lr_finder import HIGHEST, LOWEST, STEPS, ramp, suggest
from cnnlab.training.remedy import TrainingError
from tests.samples import STEP, TINY, few_digits

pytestmark = pytest.mark.slow


def config(**fields: Any) -> RunConfig:
    return parse_config({"architecture": TINY, "batch_size": 16, "augmentation": "none", **fields})


def test_rates_rise_by_a_constant_factor_and_the_ramp_ends_when_the_loss_explodes() -> None:
    points = list(ramp(few_digits(), config()))
    rates = [point.learning_rate for point in points]
    factors = [after / before for before, after in pairwise(rates)]
    assert factors == pytest.approx([factors[0]] * len(factors), rel=0.2)
    assert rates[0] == pytest.approx(LOWEST, rel=0.5)
    assert rates[-1] <= HIGHEST
    assert points[-1].step < STEPS
    assert points[-1].loss > 2 * min(point.loss for point in points)


def test_a_loss_that_is_no_longer_finite_ends_the_ramp_too() -> None:
    points = list(ramp(few_digits(), config(optimizer="sgd", architecture="fashion-part-3")))
    assert points[-1].step < STEPS


def test_rates_for_a_parents_weights_are_not_tried() -> None:
    with pytest.raises(ConfigError, match="new network"):
        next(iter(ramp(few_digits(), config(parent="20260101-000000-abc@1"))))


def test_the_configs_own_rate_and_schedule_change_nothing() -> None:
    def losses(settings: RunConfig) -> list[float]:
        return [point.loss for point in ramp(few_digits(), settings)]

    assert losses(config()) == losses(config(learning_rate=1.0, schedule="cosine", epochs=3))
    assert losses(config()) != losses(config(seed=1))


def test_the_suggestion_is_a_tenth_of_the_largest_rate_with_a_loss_near_the_lowest() -> None:
    losses = {1e-3: 2.0, 1e-2: 1.0, 1e-1: 0.5, 0.3: 0.6, 1.0: 3.0}
    assert suggest([replace(STEP, learning_rate=rate, loss=loss) for rate, loss in losses.items()]) == 0.03


def test_what_it_suggests_trains_better_than_far_smaller_and_larger_rates() -> None:
    data = few_digits(train=1000, held_out=300)
    settings = parse_config({"architecture": "basic-cnn", "epochs": 3, "batch_size": 50, "augmentation": "none"})
    suggestion = suggest(list(ramp(data, settings)))

    def accuracy(rate: float) -> float:
        network = build(settings.architecture, data.spec.shape, 10)
        events = fit(network, data, settings.model_copy(update={"learning_rate": rate}))
        return next(event.validation_accuracy for event in events if event.kind == "epoch" and event.epoch == 3)

    assert accuracy(suggestion) > max(accuracy(suggestion / 100), accuracy(suggestion * 100))


def test_a_network_that_bears_no_rate_at_all_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnlab.training.lr_finder.LOWEST", 1e9)
    monkeypatch.setattr("cnnlab.training.lr_finder.HIGHEST", 1e10)
    with pytest.raises(TrainingError, match="no longer finite"):
        list(ramp(few_digits(), config(optimizer="sgd", architecture="fashion-part-3")))
