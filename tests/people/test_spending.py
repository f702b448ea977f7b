from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cnnlab.people import spending
from cnnlab.people.spending import Ledger

ADA, BOB = "a" * 32, "b" * 32


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(tmp_path: Path, clock: Clock) -> Ledger:
    return Ledger(tmp_path / "spent", clock)


def training(work: str) -> None:
    """Everything is still trained."""


def test_a_training_counts_with_all_its_epochs_until_it_has_ended(ledger: Ledger) -> None:
    ledger.note(ADA, "run", images=100, epochs=10)
    assert [start.total for start in ledger.settled(ADA, training)] == [1000]
    assert [start.total for start in ledger.settled(ADA, lambda work: 3)] == [300]
    assert [start.total for start in ledger.settled(ADA, lambda work: 0)] == [300]  # as when it had just ended
    assert not ledger.settled(BOB, training)


def test_one_that_never_began_leaves_nothing(ledger: Ledger) -> None:
    ledger.note(ADA, "run", images=100, epochs=10)
    ledger.settled(ADA, lambda work: 0)
    assert not ledger.settled(ADA, training)


def test_further_epochs_count_alone(ledger: Ledger) -> None:
    ledger.note(ADA, "run", images=100, epochs=10, after=10)
    assert [start.epochs for start in ledger.settled(ADA, lambda work: 14)] == [4]


def test_after_a_day_it_is_forgotten(ledger: Ledger, clock: Clock) -> None:
    ledger.note(ADA, "first", images=1, epochs=1)
    clock.now += timedelta(hours=20)
    ledger.note(ADA, "second", images=1, epochs=1)
    starts = ledger.settled(ADA, training)
    assert [start.work for start in starts] == ["first", "second"]
    assert ledger.renews_in(starts) == 4 * 3600
    clock.now += timedelta(hours=4)
    assert [start.work for start in ledger.settled(ADA, training)] == ["second"]
    assert ledger.renews_in([]) == 0


def test_a_damaged_file_counts_nothing_and_is_replaced(ledger: Ledger, tmp_path: Path) -> None:
    ledger.note(ADA, "run", images=1, epochs=1)
    (tmp_path / "spent" / f"{ADA}.json").write_text("[{")
    assert not ledger.settled(ADA, training)
    ledger.note(ADA, "other", images=1, epochs=1)
    assert [start.work for start in ledger.settled(ADA, training)] == ["other"]


def test_of_too_many_the_early_ones_count_as_one(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spending, "MOST", 4)
    for number in range(12):
        ledger.note(ADA, f"run {number}", images=10, epochs=2)
        ledger.settled(ADA, lambda work: 2)
    starts = ledger.settled(ADA, training)
    assert sum(start.total for start in starts) == 240
    assert len(starts) <= 5
