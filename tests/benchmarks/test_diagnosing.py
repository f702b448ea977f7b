from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import diagnosing
from benchmarks.diagnosing import Record, measure, table
from benchmarks.planted_faults import FAULTS, Planted, as_it_is, faulty, untouched
from cnnlab.training.config import RunConfig
from cnnlab.training.events import to_record
from tests.diagnosis.cases import FACTS, probe
from tests.samples import EPOCH


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_drawn_from_its_seed_and_differs_from_the_healthy_training(fault: str) -> None:
    planted = faulty(fault, 1, 0)
    assert planted.healthy == faulty(fault, 1, 0).healthy != faulty(fault, 1, 1).healthy
    assert planted.healthy.dataset == "fashion-mnist"
    differs = planted.config != planted.healthy, planted.spoil is not as_it_is, planted.damage is not untouched
    assert sum(differs) + bool(planted.rates) == 1


def test_a_fault_is_named_from_its_records_and_counts_as_mended_where_the_change_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diagnosing, "FAULTS", {"rate-too-low": FAULTS["rate-too-low"]})
    made = []

    def trained(planted: Planted, config: RunConfig, *_: object, **__: object) -> Record:
        made.append(config.learning_rate)
        is_ill = planted.fault and config == planted.config
        losses = (2.3, 2.3) if is_ill else (0.3, 0.4)
        return {
            "events": [to_record(replace(EPOCH, train_loss=losses[0], validation_loss=losses[1]))],
            "probes": [probe().model_dump(), probe(1).model_dump()],
            "facts": FACTS.model_dump(),
            "error": "",
            "test": 0.2 if is_ill else 0.9,
        }

    monkeypatch.setattr(diagnosing, "trained", trained)
    figures = measure(tmp_path, seed=3, of_each=1)
    assert (figures["named"], figures["mended"]) == ({"rate-too-low": 1}, {"rate-too-low": 1})
    assert (figures["healthy"], figures["alarms"]) == (1, 0)
    assert "| rate-too-low | 1 of 1 | 1 of 1 |" in table(figures)
    assert len(made) == 4  # without the fault, with it, mended, and another one without
    assert table(measure(tmp_path, seed=3, of_each=1)) == table(figures)
    assert len(made) == 4  # all from the records
