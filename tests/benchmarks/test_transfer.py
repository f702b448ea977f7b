from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import transfer
from benchmarks.transfer import Result, compare, config_of, table
from cnnlab.runs.store import RunStore
from cnnlab.training.config import RunConfig
from cnnlab.training.recipes import RECIPES, Recipe
from tests.samples import TINY


def test_each_draw_has_as_many_pictures_a_class() -> None:
    config = config_of("transfer", "mnist-sample", 10, seed=2)
    assert config.train_fraction * (1 - config.validation_fraction) * 4500 == pytest.approx(100)
    assert config.seed == 2
    assert config_of("transfer", "mnist-sample", 10_000, seed=0).train_fraction == 1


def test_every_way_is_trained_on_every_number(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    short = RunConfig(architecture=TINY, augmentation="none", epochs=1)
    for name in ("best-colour", "transfer"):
        monkeypatch.setitem(RECIPES, name, Recipe(name, name, short))
    monkeypatch.setattr(transfer, "DRAWS", (0, 1))
    monkeypatch.setattr(transfer, "_in_own_process", transfer._trained)
    found = list(compare("mnist-sample", RunStore(tmp_path), ("best-colour", "transfer"), (5, 10)))
    assert [(one["way"], one["count"]) for one in found] == [
        *(("from scratch", 5), ("from scratch", 10)),
        *(("new last layer", 5), ("new last layer", 10)),
    ]
    assert all(len(one["accuracies"]) == len(one["seconds"]) == len(one["megabytes"]) == 2 for one in found)


def test_results_are_a_markdown_table() -> None:
    one = Result(way="new last layer", count=50, accuracies=[0.66, 0.68], seconds=[9.0, 11.0], megabytes=[700.0, 701.0])
    assert table([one]).splitlines()[-1] == "| new last layer | 50 | 67.0% | 66.0% to 68.0% | 10.0 | 701 |"
