from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from cnnlab.forecasting.training import distances, planned, trained
from cnnlab.networks.architecture import Architecture
from cnnlab.networks.presets import PRESETS
from cnnlab.training.config import RunConfig
from tests.forecasting.made import SAMPLE, entry


def apart(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    first, second = (planned(RunConfig.model_validate(fields), SAMPLE) for fields in (one, other))
    assert first
    assert second
    return float(distances([first], [second])[0, 0])


def test_a_run_is_described_as_what_its_config_would_train() -> None:
    fields: dict[str, Any] = {"architecture": "quick", "optimizer": "sgd", "learning_rate": 0.05, "train_fraction": 0.3}
    config = RunConfig.model_validate(fields)
    assert trained(entry("a", **fields), SAMPLE) == planned(config, SAMPLE)


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 3, "split_seed": 1, "device": "cpu", "threads": 1, "micro_batch": 8},
        {"momentum": 0.5},  # AdamW has none
        {"step_factor": 0.5},  # one-cycle has no steps
        {"augmentation": SAMPLE.augmentation},  # what "auto" is
    ],
)
def test_what_does_not_count_makes_no_difference(changes: dict[str, Any]) -> None:
    assert apart({}, changes) == 0


def test_layers_count_and_their_names_do_not() -> None:
    first, *others = PRESETS["lean"].layers
    named = Architecture(name="a", title="A", layers=(first.model_copy(update={"name": "stem"}), *others))
    assert apart({"architecture": "lean"}, {"architecture": named}) == 0
    assert apart({"architecture": "lean"}, {"architecture": "quick"}) > 1


def test_ratios_count_and_settings_are_the_same_or_not() -> None:
    assert apart({"learning_rate": 0.01}, {"learning_rate": 0.04}) == pytest.approx(1)
    assert apart({"learning_rate": 0.001}, {"learning_rate": 0.004}) == pytest.approx(1)
    assert apart({}, {"optimizer": "adam"}) == pytest.approx(1)
    assert apart({}, {"optimizer": "sgd"}) > apart({}, {"optimizer": "adam"})
    assert apart({"optimizer": "sgd"}, {"optimizer": "sgd", "momentum": 0.5}) == pytest.approx(1)
    assert apart({"epochs": 10}, {"epochs": 20}) == pytest.approx(0.4)
    assert apart({"train_fraction": 0.5, "epochs": 20}, {"epochs": 10}) == pytest.approx(0.4)
    assert apart({"batch_size": 64, "epochs": 10}, {"batch_size": 128, "epochs": 20}) == pytest.approx(0.4)


def test_images_that_are_held_out_are_not_trained_on() -> None:
    few = {"train_fraction": 0.5, "validation_fraction": 0.1}
    assert apart(few, {"train_fraction": 0.9, "validation_fraction": 0.5}) == pytest.approx(0, abs=1e-12)


def test_a_network_for_larger_images_is_not_described() -> None:
    assert planned(RunConfig(architecture=PRESETS["lenet-5"]), SAMPLE)
    tiny = SAMPLE.__class__(**vars(SAMPLE) | {"shape": (1, 4, 4)})
    assert planned(RunConfig(architecture=PRESETS["lenet-5"]), tiny) is None
