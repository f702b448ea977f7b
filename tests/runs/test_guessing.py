"""What may be guessed of runs: their validation accuracies, how far classes lie apart, and the noise of seeds."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from cnnlab.evaluation.luck import Seeds, seed_noise
from cnnlab.runs.entry import Entry
from cnnlab.runs.guessing import class_spreads, is_guessable, validation_noise, validation_points
from cnnlab.runs.summary import Status
from tests.samples import told

CLASSES = ("3", "5")


def entry(name: str, validation: float | None = 0.9, status: Status = "finished", **fields: object) -> Entry:
    results = {
        "status": status,
        "classes": CLASSES,
        "epoch": 2,
        "validation_accuracy": validation,
        "test_accuracy": 0.5,
    }
    return told(name, results | {"support": dict.fromkeys(CLASSES, 50)}, fields)


def with_history(name: str, *epochs: tuple[int, tuple[float, ...]]) -> Entry:
    """What ``class_spreads`` asks of an entry."""
    history = SimpleNamespace(epochs=[{"epoch": epoch, "per_class": accuracies} for epoch, accuracies in epochs])
    run = SimpleNamespace(history=lambda: history)
    return cast("Entry", SimpleNamespace(run=run, summary=SimpleNamespace(epoch=2, classes=CLASSES, id=name)))


def test_two_finished_runs_on_the_same_data_may_be_guessed() -> None:
    one = entry("a")
    assert is_guessable({"a": one, "b": entry("b", seed=1)})
    assert not is_guessable({"a": one})
    others: list[dict[str, Any]] = [{"validation": None}, {"status": "running"}, {"dataset": "fashion-mnist"}]
    for fields in others:
        assert not is_guessable({"a": one, "b": entry("b", **fields)})


def test_accuracies_are_those_of_the_validation_images() -> None:
    assert validation_points({"a": entry("a", 0.91), "b": entry("b", 0.9)}) == {"a": 91.0, "b": 90.0}


def test_classes_lie_apart_as_after_the_epochs_whose_weights_were_kept() -> None:
    one, other = with_history("a", (1, (0, 0)), (2, (0.9, 0.8)), (3, (1, 1))), with_history("b", (2, (0.7, 0.85)))
    assert class_spreads({"a": one, "b": other}) == {"3": pytest.approx(20), "5": pytest.approx(5)}
    assert class_spreads({"a": one, "b": with_history("b", (1, (0.7, 0.9)))}) == {}


def test_noise_is_that_of_the_validation_accuracies_of_three_seeds() -> None:
    seeds = [entry(str(seed), 0.9 + seed / 100, seed=seed) for seed in range(3)]
    other = entry("b", 0.8, epochs=3)
    named = {"a": seeds[0], "b": other}
    noise = seed_noise(Seeds("", (0.9, 0.91, 0.92)))
    assert noise
    assert validation_noise(named, [*seeds, other]) == pytest.approx(100 * noise.reach)
    assert validation_noise(named, [seeds[0], other]) is None
