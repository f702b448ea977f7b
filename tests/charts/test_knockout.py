"""The picture of what is lost without each filter."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cnnlab import charts
from cnnlab.charts.knockout import losses_by_filter
from cnnlab.evaluation.metrics import before_and_after


def test_a_loss_is_negative_and_its_hover_says_how_many() -> None:
    losses = np.array([[0, 3], [-1, 0], [0, 0]])
    (heatmap,) = losses_by_filter(losses, ["cat", "dog"]).data
    assert heatmap.z.tolist() == [[0, 1, 0], [-3, 0, 0]]
    assert heatmap.customdata.tolist() == losses.T.tolist()
    assert (heatmap.zmin, heatmap.zmax) == (-3, 3)


def changed(before: list[int], after: list[int]) -> pd.DataFrame:
    return before_and_after(list("abc")[: len(before)], np.full(len(before), 10), np.array(before), np.array(after))


def test_of_classes_before_and_after_the_largest_loss_has_the_colour_of_errors() -> None:
    figure = charts.class_changes(changed([10, 9, 8], [9, 2, 9]))
    usual, worst, before, now = figure.data
    assert (list(worst.x), list(worst.y)) == (["b"] * 3, [0.9, 0.2, None])
    assert len(set(usual.x)) == 2
    assert len({now.marker.color[0], now.marker.color[2]}) == 1
    assert now.marker.color[1] == worst.line.color != usual.line.color
    assert list(before.y) == [1.0, 0.9, 0.8]
    assert list(now.hovertext)[1] == "b: 9 of 10 right before, 2 now"


def test_without_a_loss_nothing_is_magenta() -> None:
    figure = charts.class_changes(changed([10, 9], [10, 10]))
    assert len(figure.data[1].x) == 0
    assert len(set(figure.data[3].marker.color)) == 1
