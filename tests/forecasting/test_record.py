from __future__ import annotations

import pytest

from cnnlab.forecasting import record as records
from cnnlab.forecasting.record import Record, record
from cnnlab.people.belonging import Belonging
from cnnlab.runs.entry import Entry, describe
from cnnlab.runs.summary import Forecast
from tests.forecasting.made import entry

TOLD = Forecast(accuracy=0.95, low=0.93, high=0.97, runs=9)
ADA = "a" * 32


def owned(one: Entry, owner: str) -> Entry:
    return describe(one.run, one.config, one.summary, one.about, (1,), Belonging(owner=owner))


def test_the_record_is_of_what_was_forecast_and_has_finished() -> None:
    assert record([entry("a"), entry("b", 0.9, TOLD, {"status": "stopped"}), entry("c", None, TOLD)], "") is None
    known = record([entry("a"), entry("b", 0.96, TOLD), entry("c", 0.90, TOLD)], "")
    assert known
    assert (known.forecasts, known.held) == (2, 1)
    assert known.error == pytest.approx(0.03)
    missed = [entry(name, 0.95, TOLD) for name in "abc"]
    assert record([*missed, entry("far off", 0.1, TOLD)], "") == Record(4, 3, 0.0)


def test_a_training_that_was_changed_by_hand_does_not_judge_a_forecast() -> None:
    assert record([entry("a", 0.96, TOLD, {"rates_set": 1})], "") is None


def test_each_has_a_record_of_their_own() -> None:
    runs = [owned(entry("a", 0.95, TOLD), ADA), entry("b", 0.90, TOLD)]
    assert record(runs, ADA) == Record(1, 1, 0.0)
    nobodys = record(runs, "")
    assert nobodys
    assert (nobodys.forecasts, nobodys.held) == (1, 0)
    assert record(runs, "b" * 32) is None


def test_the_last_ones_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "LAST", 2)
    known = record([*[entry("new", 0.95, TOLD)] * 2, entry("old", 0.5, TOLD)], "")
    assert known == Record(2, 2, 0.0)
