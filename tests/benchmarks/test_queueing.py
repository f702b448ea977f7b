from __future__ import annotations

from statistics import median

from benchmarks import queueing
from benchmarks.queueing import Training, table, train


def test_in_fair_shares_a_class_sees_curves_long_before_a_sweep_has_ended() -> None:
    sweep = [Training("sweep", arrives=0.0, is_trial=True) for _ in range(8)]
    pupils = [Training(f"pupil {number}", arrives=1.0) for number in range(8)]
    train([*sweep, *pupils], slots=2)
    fair = [round(one.wait) for one in pupils]
    assert (min(fair), median(fair), max(fair)) == (0, 15, 30)  # two every ten seconds

    sweep = [Training("sweep", arrives=0.0) for _ in range(8)]
    pupils = [Training(f"pupil {number}", arrives=1.0) for number in range(8)]
    train([*sweep, *pupils], slots=2, is_fair=False)
    assert round(min(one.wait for one in pupils)) == 4 * queueing.SECONDS - 1


def test_no_slot_is_idle_while_anybody_waits() -> None:
    trainings = [Training(f"pupil {number % 3}", arrives=0.0) for number in range(9)]
    train(trainings, slots=3)
    assert round(max(one.end for one in trainings)) == 3 * queueing.SECONDS


def test_results_are_a_markdown_table() -> None:
    figures = {"all at once": {"fair shares": {"median": 6.0, "worst": 16.4, "last_end": 120.0}}}
    assert table(figures).splitlines()[-1] == "| all at once | fair shares | 6 | 16 | 120 |"
