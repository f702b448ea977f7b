from __future__ import annotations

from benchmarks.sweeping import makespan, table


def test_the_ideal_starts_each_trial_as_soon_as_a_slot_is_free() -> None:
    assert makespan([3.0, 1.0, 1.0, 2.0], slots=2) == 4.0
    assert makespan([3.0, 1.0], slots=5) == 3.0


def test_results_are_written_as_markdown() -> None:
    figures = {
        "slots": {"trials": 500, "slots": 200, "seconds": 80.0, "ideal": 76.0},
        "asks": {"journal": 6.0, "sqlite": 38.0},
        "kills": {"kills": 20, "trials": 60, "slots": 8, "lost": 0, "twice": 0},
        "others": {"wide": 30, "without": [0.5, 0.4, 0.5], "beside": [0.54, 0.5, 0.53]},
        "pruning": {"the median": {"1": 1319, "200": 3820}, "successive halving": {"1": 900, "200": 901}},
    }
    told = table(figures)
    assert "95.0% of it" in told
    assert "median 0.500 s" in told
    assert "1.08 times, the median of 3 pairs" in told
    assert told.splitlines()[-2] == "| the median | 1,319 | 3,820 |"
