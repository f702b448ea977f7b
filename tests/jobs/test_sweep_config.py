from __future__ import annotations

from typing import Any

import pytest

from cnnlab.data.datasets import DATASETS
from cnnlab.jobs.sweep_config import SPACES, Among, Between, disk_bytes, parse_sweep
from cnnlab.runs.disk import disk_needs
from cnnlab.training.config import ConfigError, RunConfig

SHORT = RunConfig.model_validate({"architecture": "quick", "epochs": 2, "train_fraction": 0.1})
WITH_MOMENTUM = RunConfig(optimizer="sgd", schedule="cosine")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"space": {}}, "at least 1"),
        ({"space": {"dataset": {"options": ["mnist", "usps"]}}}, "cannot be searched"),
        ({"space": {"learning_rate": {"low": 0.1, "high": 0.1}}}, "is empty"),
        ({"space": {"learning_rate": {"low": 0.0, "high": 0.1, "log": True}}}, "above 0"),
        ({"space": {"learning_rate": {"low": 1, "high": 100}}}, "learning_rate"),
        ({"space": {"batch_size": {"options": [0, 64]}}}, "batch_size"),
        ({"space": {"optimizer": {"options": ["adam", "magic"]}}}, "optimizer"),
        ({"space": {"optimizer": {"options": ["adam"]}}}, "at least 2"),
        ({"space": {"epochs": {"options": [1, 2]}}}, "early stopping of trials"),
        ({"trials": 0}, "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_searched_is_refused_in_one_line(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told) as refusal:
        parse_sweep({"base": SHORT, "space": {"momentum": {"low": 0.5, "high": 0.9}}, **fields})
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("base", "space", "told"),
    [
        ({"optimizer": "adamw"}, {"momentum": SPACES["momentum"]}, "no effect with optimizer adamw: choose sgd or rms"),
        ({"optimizer": "adam"}, {"nesterov": SPACES["nesterov"]}, "no effect with optimizer adam: choose sgd there"),
        ({"optimizer": "rmsprop"}, {"nesterov": SPACES["nesterov"]}, "no effect with optimizer rmsprop"),
        (
            {"optimizer": "sgd"},
            {"momentum": SPACES["momentum"], "optimizer": Among(options=("adam", "adamw"))},
            "no effect with optimizer adam, adamw",
        ),
        ({}, {"batch_size": Among(options=(32, 32))}, "batch_size: all its values are the same"),
        ({}, {"batch_size": Between(low=31.9, high=32.1)}, "batch_size: all its values are the same"),
    ],
)
def test_a_setting_without_effect_is_not_searched(base: dict[str, Any], space: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        parse_sweep({"base": base, "space": space})


def test_a_setting_that_counts_in_some_trials_is_searched() -> None:
    space = {"momentum": SPACES["momentum"], "optimizer": Among(options=("sgd", "adamw"))}
    assert parse_sweep({"space": space}).space == space


@pytest.mark.parametrize("name", SPACES)
def test_what_is_offered_can_be_searched(name: str) -> None:
    pruner = "none" if name == "epochs" else "median"
    assert parse_sweep({"base": WITH_MOMENTUM, "space": {name: SPACES[name]}, "pruner": pruner}).space == {
        name: SPACES[name]
    }


@pytest.mark.parametrize("values", [{"low": 0, "high": float("inf")}, {"options": [1, float("inf")]}])
def test_a_range_has_ends(values: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="seed"):
        parse_sweep({"space": {"seed": values}})


def test_a_sweep_takes_as_much_room_as_its_largest_trials() -> None:
    space = {"architecture": {"options": ["quick", "compact"]}, "epochs": {"options": [1, 5]}}
    asked = parse_sweep({"base": SHORT, "space": space, "trials": 3, "pruner": "none"})
    largest = RunConfig(epochs=5)
    assert disk_bytes(asked) == 3 * disk_needs(largest, DATASETS["mnist-sample"]).bytes
