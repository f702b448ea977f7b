from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import diagnosing
from benchmarks.diagnosing import measure, table
from benchmarks.planted_faults import FAULTS, as_it_is, faulty, untouched


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_drawn_from_its_seed_and_differs_from_the_healthy_training(fault: str) -> None:
    planted = faulty(fault, 1, 0)
    assert planted.healthy == faulty(fault, 1, 0).healthy != faulty(fault, 1, 1).healthy
    assert planted.healthy.dataset == "fashion-mnist"
    differs = planted.config != planted.healthy, planted.spoil is not as_it_is, planted.damage is not untouched
    assert sum(differs) + bool(planted.rates) == 1


@pytest.mark.slow
def test_a_planted_fault_is_named_and_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, real_data: Path) -> None:
    monkeypatch.setenv("CNNLAB_DATA", str(real_data))
    monkeypatch.setattr(diagnosing, "FAULTS", {"rate-too-low": FAULTS["rate-too-low"]})
    figures = measure(tmp_path, seed=3, of_each=1)
    assert (figures["named"], figures["mended"]) == ({"rate-too-low": 1}, {"rate-too-low": 1})
    assert (figures["healthy"], figures["alarms"]) == (1, 0)
    assert "| rate-too-low | 1 of 1 | 1 of 1 |" in table(figures)
    assert table(measure(tmp_path, seed=3, of_each=1)) == table(figures)  # from the records
