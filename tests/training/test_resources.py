from __future__ import annotations

import json

import pytest

from cnnlab.training import resources
from cnnlab.training.resources import Sample, from_lines, joules, to_line

SAMPLE = Sample(seconds=1.0, core_percent=180.5, machine_percent=90.2, memory_mb=640.0)


def test_a_sample_is_read_as_it_was_written_and_has_no_figures_of_a_gpu_that_is_not_there() -> None:
    assert from_lines([to_line(SAMPLE)]) == [SAMPLE]
    assert set(json.loads(to_line(SAMPLE))) == {"seconds", "core_percent", "machine_percent", "memory_mb"}
    on_gpu = SAMPLE.model_copy(update={"gpu_percent": 50.0, "gpu_memory_mb": 900.0, "gpu_joules": 12.5})
    assert from_lines([to_line(on_gpu)]) == [on_gpu]


@pytest.mark.parametrize("line", ["", "{", '{"seconds": 1}', to_line(SAMPLE).replace("1.0", "-1.0"), "NaN", "[1]"])
def test_reading_ends_at_what_is_no_sample(line: str) -> None:
    assert from_lines([to_line(SAMPLE), line, to_line(SAMPLE)]) == [SAMPLE]


def test_infinite_and_huge_numbers_are_no_samples() -> None:
    for value in ("Infinity", "NaN", "1e300"):
        assert not from_lines([to_line(SAMPLE).replace("640.0", value)])


def test_more_than_may_be_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "MOST", 3)
    assert len(from_lines([to_line(SAMPLE)] * 10)) == 3


def test_energy_is_told_only_of_a_counter() -> None:
    assert joules([SAMPLE]) is None
    assert joules([]) is None
    counted = [SAMPLE.model_copy(update={"gpu_joules": value}) for value in (5.0, 9.0)]
    assert joules([*counted, SAMPLE]) == 9.0
