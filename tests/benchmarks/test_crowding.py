from __future__ import annotations

from benchmarks.crowding import Figures, _lost, _parted, _waits, table
from tests.faults.visitor import Render


def test_what_a_person_sees_for_the_first_time_is_told_apart() -> None:
    ada = [Render("Train", 2.0), Render("Draw", 1.0), Render("Train", 0.1)]
    bob = [Render("Draw", 3.0)]
    assert _parted([ada, bob]) == ([ada[0], ada[1], bob[0]], [ada[2]])


def test_an_epoch_that_is_shown_and_not_kept_is_lost() -> None:
    assert _lost([3, 4], [3, 3]) == []  # the running epoch is shown, too
    assert _lost([5, -1], [3, 3]) == ["a page shows epoch 5, 3 are on disk", "a page shows epoch -1, 3 are on disk"]


def test_results_are_a_list_that_counts_what_failed() -> None:
    waits = {"page": [0.1, 0.3], "first": [2.0], "click": [0.5], "answer": [0.4]}
    figures: Figures = {}
    for what, seconds in waits.items():
        figures |= _waits(what, seconds)
    figures |= {"epochs": [600, 609], "failures": []}
    lines = table(figures).splitlines()
    assert lines[0] == "- 2 pages drawn for sessions: p50 200 ms, p95 290 ms, longest 300 ms"
    assert lines[-2:] == ["- epochs of the two trainings meanwhile: 600 and 609", "- failures: none"]
    assert table({**figures, "failures": ["Train: lost"]}).endswith("failures: 1")
