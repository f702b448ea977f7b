from __future__ import annotations

import math

import pandas as pd
import pytest

from cnnlab.charts.few_pictures import COLOURS, by_number

POINTS = pd.DataFrame(
    [
        {"way": way, "number": number, "mean": mean, "sd": sd}
        for way, number, mean, sd in (
            ("from scratch", 10, 0.5, 0.1),
            ("frozen", 10, 0.8, math.nan),
            ("from scratch", 50, 0.7, 0.05),
            ("frozen", 50, 0.9, 0.02),
        )
    ]
)


def test_each_way_has_a_line_with_its_deviations() -> None:
    figure = by_number(POINTS)
    scratch, frozen = figure.data
    assert [line.name for line in figure.data] == ["from scratch", "frozen"]
    assert [line.line.color for line in figure.data] == [COLOURS["from scratch"], COLOURS["frozen"]]
    assert list(scratch.y) == [0.5, 0.7]
    assert list(scratch.error_y.array) == [0.1, 0.05]
    assert list(frozen.error_y.array) == [0, 0.02]  # one seed has none
    assert list(frozen.x) == pytest.approx([10, 50])


def test_the_numbers_are_the_ticks_of_a_logarithmic_axis_that_has_room_for_them() -> None:
    axis = by_number(POINTS).layout.xaxis
    assert axis.type == "log"
    assert list(axis.tickvals) == [10, 50]
    low, high = axis.range
    assert low < 1
    assert high > math.log10(50)


def test_a_single_number_has_a_width() -> None:
    low, high = by_number(POINTS[POINTS["number"] == 10]).layout.xaxis.range
    assert low < 1 < high
