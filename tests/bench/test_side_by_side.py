from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cnnlab.bench import side_by_side
from cnnlab.bench.side_by_side import RACES, Effort, Report
from cnnlab.training.recipes import RECIPES

pytestmark = pytest.mark.slow

RACE = {"quick_s", "quick_ratio", "ours_s", "tutorial_s", "ratio"}


@pytest.fixture(scope="module")
def report(real_data: Path) -> Report:
    """Every section with the real parts, each as short as can be: what it says of speed means nothing."""
    effort = Effort(rounds=1, loop_images=256, races=("mnist-98",), race_rounds=1, live_rounds=1, inferences=20)
    easy = {name: replace(race, target=0.3) for name, race in RACES.items()}
    default = RECIPES["default"]
    short = replace(default, config=default.config.model_copy(update={"train_fraction": 0.1}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(RECIPES, "default", short)
        patch.setattr(side_by_side, "QUICK", effort)
        patch.setattr(side_by_side, "RACES", easy)
        patch.setattr(side_by_side, "LIVE_EPOCHS", 1)
        return side_by_side.measure(quick=True, folder=real_data, say=lambda what: None)


def test_the_report_has_its_form(report: Report) -> None:
    assert json.loads(json.dumps(report)) == report
    assert set(report) == {"loop", "time_to_accuracy", "augmentation", "live", "inference"}
    assert list(report["loop"]) == [
        "basic-cnn",
        "classification-snippet",
        "seven-step-mnist",
        "fashion-part-3",
        "conv2d-tour",
    ]
    assert all(set(row) == {"vs_tutorial", "vs_ceiling"} for row in report["loop"].values())
    assert all(set(row) == RACE for row in report["time_to_accuracy"].values())
    assert set(report["inference"]) == {"p50_ms", "p95_ms"}
    assert 0 < report["inference"]["p50_ms"] <= report["inference"]["p95_ms"]
    assert report["augmentation"]["ratio"] > 1
    assert report["live"]["ratio"] > 0


def test_the_table_tells_every_figure(report: Report) -> None:
    lines = side_by_side.table(report).splitlines()
    ways = [f"{name}, {way}" for name in report["time_to_accuracy"] for way in ("recipe Quick", "Quick shortened")]
    for name in (*report["loop"], *ways):
        assert sum(line.startswith(name) for line in lines) == 1


def test_sides_take_turns_and_the_first_round_only_warms_up() -> None:
    turns: list[str] = []

    def side(name: str) -> float:
        turns.append(name)
        return float(len(turns))

    rounds = side_by_side._in_turn({"ours": lambda: side("ours"), "other": lambda: side("other")}, 2)
    assert turns == ["ours", "other"] * 3
    assert rounds == [{"ours": 3.0, "other": 4.0}, {"ours": 5.0, "other": 6.0}]


def test_a_ratio_is_the_median_of_the_rounds_own() -> None:
    rounds = [{"a": 2.0, "b": 1.0}, {"a": 30.0, "b": 10.0}, {"a": 9.0, "b": 1.0}]
    assert side_by_side._ratio(rounds, "a", "b") == 3.0
