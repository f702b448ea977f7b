from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.colour import TUTORIAL_NETWORK, Result, compare, table, tutorial
from cnnlab.networks.architecture import summarise
from cnnlab.runs.store import RunStore
from cnnlab.training.config import RunConfig
from cnnlab.training.recipes import RECIPES, Recipe
from tests.samples import TINY


def test_the_tutorials_network_is_the_tutorials() -> None:
    rows = summarise(TUTORIAL_NETWORK, (3, 32, 32), 10)
    assert sum(row.parameters for row in rows) == 62_006
    config = tutorial("cifar10")
    assert (config.optimizer, config.learning_rate, config.momentum, config.nesterov) == ("sgd", 1e-3, 0.9, False)
    assert (config.batch_size, config.epochs, config.normalise, config.augmentation) == (4, 2, "symmetric", "none")


def test_both_are_trained_on_the_same_images_and_the_recipe_for_as_long_as_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    short = RunConfig(architecture=TINY, train_fraction=0.05, augmentation="none", validation_fraction=0.5)
    monkeypatch.setitem(RECIPES, "best-colour", Recipe("best-colour", "Best colour", short))
    monkeypatch.setattr("benchmarks.colour.TUTORIAL_NETWORK", TINY)
    theirs, ours = compare("mnist-sample", RunStore(tmp_path), minutes=1e-9, seed=0)
    assert (theirs["epochs"], ours["epochs"]) == (2, 1)
    assert ours["title"] == "Best colour"
    assert 0 <= theirs["test_accuracy"] <= 1


def test_results_are_a_markdown_table() -> None:
    assert (
        table([Result(title="One", epochs=2, seconds=30.4, test_accuracy=0.4567)]).splitlines()[-1]
        == "| One | 2 | 30 | 45.67% |"
    )
