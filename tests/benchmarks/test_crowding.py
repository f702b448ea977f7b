from __future__ import annotations

from benchmarks.crowding import _parted, _waits, table
from tests.faults.visitor import Render


def test_what_a_person_sees_for_the_first_time_is_told_apart() -> None:
    ada = [Render("Train", 2.0), Render("Draw", 1.0), Render("Train", 0.1)]
    bob = [Render("Draw", 3.0)]
    assert _parted([ada, bob]) == ([ada[0], ada[1], bob[0]], [ada[2]])


def test_results_are_a_list_that_names_what_failed_to_be_drawn() -> None:
    waits = {
        **_waits("page", [0.1, 0.3]),
        **_waits("first", [2.0]),
        **_waits("click", [0.5]),
        **_waits("answer", [0.4]),
    }
    counts = {"pages": 2, "first": 1, "clicks": 1, "answers": 1, "epochs": [600, 609]}
    lines = table({**waits, **counts, "failures": []}).splitlines()
    assert lines[0] == "- 2 pages drawn for sessions: p50 200 ms, p95 290 ms, longest 300 ms"
    assert lines[-2:] == ["- epochs of the two trainings meanwhile: 600 and 609", "- failures: none"]
    assert table({**waits, **counts, "failures": ["Train: lost"]}).endswith("failures: 1")
