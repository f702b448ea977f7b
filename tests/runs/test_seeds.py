from __future__ import annotations

import pandas as pd
import pytest

from cnnlab.runs.catalogue import table
from cnnlab.runs.entry import Entry
from cnnlab.runs.seeds import COUNT, SPREAD, fold, latest, one_per_seed, repeats_among, seeds_of
from cnnlab.runs.summary import Status
from tests.samples import told

CLASSES = tuple("0123456789")


def entry(
    name: str, accuracy: float | None = 0.9, images: int = 50, status: Status = "finished", **fields: object
) -> Entry:
    support = dict.fromkeys(CLASSES, images)
    return told(name, {"status": status, "test_accuracy": accuracy, "support": support}, fields)


ENTRIES = [
    entry("a", 0.90),
    entry("b", 0.92, seed=1),
    entry("b2", 0.95, seed=1),
    entry("c", 0.94, seed=2),
    entry("d", 0.80, seed=3, epochs=3),
    entry("e", None, seed=4),
    entry("f", 0.10, seed=5, status="stopped"),
    entry("g", 0.20, images=40, seed=6),
]
KNOWN = repeats_among(ENTRIES)


def folded(*ticked: str) -> pd.DataFrame:
    return fold(table(ENTRIES[:7]), KNOWN, ticked)


def test_a_run_with_each_seed_that_was_tested_on_the_same_images() -> None:
    assert [one.id for one in one_per_seed(ENTRIES[0], ENTRIES)] == ["a", "b", "c"]
    assert [one.id for one in one_per_seed(ENTRIES[2], ENTRIES)] == ["b2", "a", "c"]
    assert [one.id for one in one_per_seed(ENTRIES[6], ENTRIES)] == ["f"]
    assert seeds_of(ENTRIES[0], ENTRIES).accuracies == (0.90, 0.92, 0.94)
    assert seeds_of(ENTRIES[5], ENTRIES).accuracies == ()
    assert seeds_of(ENTRIES[0], ENTRIES).settings == seeds_of(ENTRIES[3], ENTRIES).settings


def test_repeats_are_one_row_with_mean_spread_and_number() -> None:
    rows = folded()
    assert list(rows.index) == ["a", "d", "e", "f"]
    assert rows.loc[["a"], ["Test", SPREAD, COUNT]].astype(float).to_numpy()[0].tolist() == pytest.approx(
        [0.92, 2.0, 3]
    )
    assert rows.loc["d", "Test"] == 0.80
    assert rows.loc[["d", "e", "f"], [SPREAD, COUNT]].isna().to_numpy().all()
    assert rows.loc[["a"], "Seed"].isna().all()
    assert rows.loc["d", "Seed"] == 3


def test_the_row_is_that_of_the_ticked_one_unless_two_are_ticked() -> None:
    assert list(folded("c").index) == ["c", "d", "e", "f"]
    assert list(folded("a", "c", "d").index) == ["a", "b", "b2", "c", "d", "e", "f"]


def test_the_latest_settings_come_with_all_their_repeats() -> None:
    assert [one.id for one in latest(ENTRIES, 1)] == [one.id for one in ENTRIES if one.id != "d"]
    assert latest(ENTRIES, 2) == ENTRIES
    assert latest([], 3) == []


def test_without_repeats_all_rows_stay() -> None:
    rows = table(ENTRIES[3:6])
    assert fold(rows, KNOWN, ["d"]).equals(rows)
    assert fold(rows[:0], KNOWN, []).empty
