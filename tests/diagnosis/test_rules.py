from __future__ import annotations

from typing import Any

import pytest

from cnnlab.diagnosis.rules import RULES, diagnose
from cnnlab.networks.architecture import Architecture
from cnnlab.networks.layers import Activation, Conv2d, Flatten, Linear, MaxPool2d
from cnnlab.networks.presets import PRESETS
from tests.diagnosis.cases import FACTS, STUCK, case, epoch, healthy, layers, probe

SIGMOIDS = Architecture(
    name="sigmoids",
    title="Sigmoids",
    layers=(Conv2d(out_channels=8), Activation(function="sigmoid"), Flatten(), Linear(out_features="classes")),
)
NARROW = Architecture(
    name="narrow",
    title="Narrow",
    layers=(Conv2d(out_channels=1), MaxPool2d(kernel_size=4), Flatten(), Linear(out_features="classes")),
)
ILL: dict[str, dict[str, Any]] = {
    "unscaled-inputs": {"probes": [probe(input_mean=0.006, input_std=0.015)]},
    "shuffled-labels": {"facts": FACTS.model_copy(update={"agreement": 0.11})},
    "imbalance": {
        "facts": FACTS.model_copy(update={"counts": (3, *[100] * 9)}),
        "epochs": [epoch(1, per_class=[0.1, *[0.9] * 9])],
    },
    "exploding": {"probes": [probe(loss=1e4, layers=layers(40.0, 20.0, 30.0))], "epochs": STUCK},
    "vanishing": {
        "config": healthy(architecture=SIGMOIDS),
        "probes": [probe(layers=layers(1e-9, 0.01), units=())],
        "epochs": STUCK,
    },
    "too-small": {
        "config": healthy(architecture=NARROW),
        "epochs": [epoch(1, 1.2, 1.2, train_accuracy=0.4, validation_accuracy=0.4)],
    },
    "rate-too-high": {"config": healthy(learning_rate=0.2), "epochs": STUCK},
    "dead-units": {"probes": [probe(), probe(1), probe(2, dead=0.9)], "epochs": STUCK},
    "rate-too-low": {"config": healthy(learning_rate=1e-6), "epochs": STUCK},
    "ends-early": {
        "config": healthy(schedule="step", step_epochs=1, step_factor=0.01),
        "epochs": [epoch(1), epoch(2, learning_rate=1e-5)],
    },
    "overfitting": {
        "epochs": [
            epoch(1, 0.3, 0.5, train_accuracy=0.9, validation_accuracy=0.85),
            epoch(2, 0.1, 0.6, train_accuracy=0.97, validation_accuracy=0.86),
            epoch(3, 0.02, 0.7, train_accuracy=1.0, validation_accuracy=0.86),
        ]
    },
}


def test_a_healthy_training_raises_no_alarm() -> None:
    assert diagnose(case()) == []


def test_nothing_is_said_before_the_first_epoch() -> None:
    assert diagnose(case(epochs=[], probes=[probe(input_std=0.01)])) == []


@pytest.mark.parametrize("name", RULES)
def test_each_fault_is_named_first_with_figures_and_a_change(name: str) -> None:
    first = diagnose(case(**ILL[name]))[0]
    assert first.name == name
    assert any(letter.isdigit() for letter in first.evidence)
    assert first.evidence.endswith(".")
    assert first.change.says
    assert first.change.fields or first.change.epoch or name == "shuffled-labels"


def test_a_training_that_fails_at_a_high_rate_in_its_first_epoch_is_named() -> None:
    failed = case(
        config=healthy(learning_rate=0.5), epochs=[], probes=[probe()], failure="the loss is no longer finite"
    )
    assert [found.name for found in diagnose(failed)] == ["rate-too-high"]


def test_a_rate_is_changed_so_far_that_a_step_is_a_fiftieth_of_the_weights() -> None:
    for rate in (0.2, 1e-6):
        found = diagnose(case(config=healthy(learning_rate=rate), epochs=STUCK))[0]
        assert found.change.fields == {"learning_rate": pytest.approx(1e-3)}


def test_units_that_died_later_are_left_behind_at_the_last_good_epoch() -> None:
    died = diagnose(case(probes=[probe(), probe(1), probe(2), probe(4, dead=1.0)], epochs=STUCK))[0]
    assert died.change.epoch == 2
    assert not died.change.fields


def test_inputs_behind_a_norm_need_no_scale() -> None:
    dim = [probe(input_std=0.01)]
    assert diagnose(case(config=healthy(architecture=PRESETS["lean"]), probes=dim)) == []


def test_what_was_before_the_first_step_is_not_told_from_later_weights() -> None:
    later = [probe(4, loss=1e4, layers=layers(40.0, 20.0, 30.0))]
    assert "exploding" not in [found.name for found in diagnose(case(probes=later, epochs=STUCK))]


def test_a_class_without_any_image_cannot_be_drawn_more_often() -> None:
    facts = FACTS.model_copy(update={"counts": (0, *[100] * 9)})
    assert diagnose(case(facts=facts, epochs=[epoch(1, per_class=[0.0, *[0.9] * 9])])) == []
