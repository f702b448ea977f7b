from __future__ import annotations

from pathlib import Path

import pytest

from cnnlab.runs import resource_log
from cnnlab.runs.resource_log import NAME, ResourceLog, read_samples
from cnnlab.runs.run import MAX_READ, Run
from cnnlab.runs.store import RunStore
from cnnlab.training.config import RunConfig
from cnnlab.training.resources import Sample


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return RunStore(tmp_path).create(RunConfig())


def sample(seconds: float) -> Sample:
    return Sample(seconds=seconds, core_percent=100.0, machine_percent=50.0, memory_mb=500.0)


def seconds(samples: list[Sample]) -> list[float]:
    return [each.seconds for each in samples]


def test_what_is_added_is_on_disk_at_once(run: Run) -> None:
    log = ResourceLog(run)
    for number in range(3):
        log.add(sample(number))
        assert seconds(read_samples(run)) == seconds(log.samples) == list(range(number + 1))


def test_a_resumed_run_goes_on_after_what_a_kill_left(run: Run) -> None:
    log = ResourceLog(run)
    log.add(sample(1))
    with (run.folder / NAME).open("a") as file:
        file.write('{"seconds": 2.0, "core_per')
    log = ResourceLog(run)
    log.add(sample(3))
    log.add(sample(4))
    assert seconds(read_samples(run)) == [1, 3, 4]
    assert (run.folder / NAME).read_text().count("\n") == 3


def test_a_long_training_is_thinned_out(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource_log, "MOST", 8)
    log = ResourceLog(run)
    samples = log.samples
    for number in range(9):
        log.add(sample(number))
    assert log.seconds_apart == 2
    assert seconds(samples) == seconds(read_samples(run)) == [1, 3, 5, 7, 8]
    for number in range(10, 30):
        log.add(sample(number))
        assert len(samples) <= 8
    assert log.seconds_apart > 2
    assert seconds(read_samples(run)) == seconds(samples)


def test_a_missing_a_damaged_and_a_huge_file_are_as_none(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not read_samples(run)
    (run.folder / NAME).write_bytes(b"\xff\xfe nothing")
    assert not read_samples(run)
    ResourceLog(run).add(sample(1))
    assert read_samples(run)
    monkeypatch.setitem(MAX_READ, NAME, 10)
    assert not read_samples(run)
