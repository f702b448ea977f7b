from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import small_runs
from cnnlab.training.config import parse_config


def test_all_settings_can_be_trained_and_are_always_the_same() -> None:
    everything = list(small_runs._everything())
    assert everything == list(small_runs._everything())
    assert len({name for name, _ in everything}) == len(everything) == 480
    assert {parse_config(fields).dataset for _, fields in everything} == set(small_runs.DATASETS)


def test_a_run_is_trained_once_and_read_with_its_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fields = {"architecture": "basic-cnn", "epochs": 2, "train_fraction": 0.05, "device": "cpu"}
    run = small_runs._run("one", fields, tmp_path)
    monkeypatch.delattr(small_runs, "_trained")
    again = small_runs._run("one", fields, tmp_path)
    assert [epoch["epoch"] for epoch in again.epochs] == [1, 2]
    assert again.config == run.config
    assert np.array_equal(again.answers.hits, run.answers.hits)
    assert len(again.answers.labels) == 500
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.json", "one.npy"]
