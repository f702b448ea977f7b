from __future__ import annotations

import tomllib
from dataclasses import replace

import numpy as np
import pytest

from cnnlab import charts
from cnnlab.history import History
from tests.conftest import ROOT
from tests.test_history import EPOCH, STEP


def history(epochs: int = 3, steps: int = 9) -> History:
    made = History()
    for step in range(1, steps + 1):
        made.add(replace(STEP, step=step, epoch=step * epochs / steps, loss=1 / step))
    for epoch in range(1, epochs + 1):
        made.add(replace(EPOCH, epoch=epoch, validation_accuracy=epoch / epochs))
    return made


@pytest.mark.parametrize(("metric", "title"), [("loss", "loss (cross-entropy)"), ("accuracy", "accuracy")])
def test_curves_carry_the_historys_numbers(metric: str, title: str) -> None:
    shown = history()
    batches, train, validation = charts.curve(shown, metric).data
    assert list(batches.y) == [step[metric] for step in shown.steps]
    assert list(train.x) == [1, 2, 3]
    assert list(validation.y) == [epoch[f"validation_{metric}"] for epoch in shown.epochs]
    assert charts.curve(shown, metric).layout.yaxis.title.text == title
    assert charts.curve(shown, metric).layout.xaxis.title.text == "epoch"


@pytest.mark.parametrize("steps", [1, 999, 1000, 1001, 54_321])
def test_a_line_is_thinned_but_keeps_its_ends(steps: int) -> None:
    x = charts.curve(history(steps=steps), "loss").data[0].x
    assert len(x) <= charts.MAX_POINTS
    assert x[-1] == 3
    assert x[0] == pytest.approx(3 / steps)


def test_curves_of_nothing_are_empty() -> None:
    assert all(not len(line.x) for line in charts.curve(History(), "loss").data)


def test_several_runs_are_overlaid_under_their_names_as_typed() -> None:
    figure = charts.overlaid_curves({"a": history(), "<b>": history(2)}, "accuracy")
    assert [line.name for line in figure.data] == ["a", "&lt;b&gt;"]
    assert [len(line.x) for line in figure.data] == [3, 2]
    assert len({line.line.color for line in figure.data}) == 2


def test_classes_carry_their_accuracy() -> None:
    (bars,) = charts.per_class_bars({"cat": 0.5, "dog": 1.0}, "validation").data
    assert (list(bars.x), list(bars.y)) == (["cat", "dog"], [0.5, 1.0])
    points = charts.per_class_points({"A": {"cat": 0.5}, "B": {"cat": 0.6}}, "test accuracy").data
    assert [list(run.y) for run in points] == [[0.5], [0.6]]


def test_the_likeliest_class_stands_out() -> None:
    (bars,) = charts.probability_bars(["a", "b", "c"], [0.1, 0.7, 0.2]).data
    assert list(bars.x) == [0.1, 0.7, 0.2]
    assert bars.marker.color[1] not in (bars.marker.color[0], bars.marker.color[2])


@pytest.mark.parametrize("count", [1, 7, 16, 33])
def test_filters_keep_their_weights_and_zero_in_the_middle(count: int) -> None:
    weights = np.random.default_rng(0).normal(size=(count, 3, 2))
    (grid,) = charts.filter_grid(weights).data
    assert grid.zmin == -grid.zmax == -np.abs(weights).max()
    for number in range(count):
        tile = np.array(grid.z)[np.array(grid.customdata) == number + 1]
        assert tile.tolist() == weights[number].flatten().tolist()
    assert np.isnan(np.array(grid.z)[np.array(grid.customdata) == 0]).all()


def test_filters_that_are_all_zero_can_be_shown() -> None:
    assert charts.filter_grid(np.zeros((2, 3, 3))).data[0].zmax == 1


def test_feature_maps_share_one_scale() -> None:
    maps = np.array([[[0.0, 1.0]], [[2.0, 5.0]]])
    (grid,) = charts.feature_map_grid(maps).data
    assert (grid.zmin, grid.zmax) == (0.0, 5.0)


def test_the_theme_and_the_charts_have_the_same_colours() -> None:
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"]
    assert tuple(theme["chartCategoricalColors"]) == charts.PALETTE
