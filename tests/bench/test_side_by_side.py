from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cnnlab.bench import busy, races, side_by_side, watched
from cnnlab.bench.races import RACES
from cnnlab.bench.rounds import Effort, Report
from cnnlab.training.recipes import DEFAULT, RECIPES

pytestmark = pytest.mark.slow

RACE = {"quick_s", "quick_ratio", "ours_s", "tutorial_s", "ratio"}


@pytest.fixture(scope="module")
def report(real_data: Path) -> Report:
    """Every section with the real parts, each as short as can be: what it says of speed means nothing."""
    effort = Effort(
        rounds=1,
        loop_images=256,
        races=("mnist-98",),
        race_rounds=1,
        live_rounds=1,
        inferences=20,
        busy_rounds=1,
        busy_seconds=0.1,
    )
    easy = {name: replace(race, target=0.3) for name, race in RACES.items()}
    default = RECIPES[DEFAULT]
    short = replace(default, config=default.config.model_copy(update={"train_fraction": 0.1}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(RECIPES, DEFAULT, short)
        patch.setattr(side_by_side, "QUICK", effort)
        patch.setattr(races, "RACES", easy)
        patch.setattr(watched, "EPOCHS", 1)
        patch.setattr(busy, "PROGRAMS", (1,))
        return side_by_side.measure(quick=True, folder=real_data, say=lambda what: None)


def test_the_report_has_its_form(report: Report) -> None:
    assert json.loads(json.dumps(report)) == report
    assert list(report) == ["machine", *side_by_side.SECTIONS]
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
    assert all(row["ratio"] > 0 for row in report["busy"].values())


def test_the_table_tells_every_figure(report: Report) -> None:
    lines = side_by_side.table(report).splitlines()
    ways = [f"{name}, {way}" for name in report["time_to_accuracy"] for way in ("recipe Quick", "Quick shortened")]
    for name in (*report["loop"], *ways, "processor", "training:", "beside 1"):
        assert sum(line.startswith(name) for line in lines) == 1
