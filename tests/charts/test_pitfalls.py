from __future__ import annotations

import math

import pandas as pd

from cnnlab.charts.pitfalls import beside_lines, beside_points
from cnnlab.palette import PALETTE

LINES = pd.DataFrame(
    [
        {"way": way, "part": part, "x": x, "y": y}
        for way, part, values in (
            ("wrong", "train", (9.0, 2.0)),
            ("wrong", "test", (3.0, 4.0)),
            ("right", "", (1.0, 0.5)),
        )
        for x, y in enumerate(values, start=1)
    ]
)
POINTS = pd.DataFrame(
    [
        {"way": "wrong", "x": "a", "y": 0.5, "low": 0.25, "high": 0.8},
        {"way": "wrong", "x": "b", "y": math.nan, "low": 0.0, "high": 1.0},
        {"way": "right", "x": "a", "y": 0.9, "low": 0.8, "high": 1.0},
        {"way": "right", "x": "b", "y": 0.7, "low": 0.6, "high": 0.75},
    ]
)


def test_lines_have_a_colour_for_each_way_and_a_dash_for_each_part() -> None:
    figure = beside_lines(LINES, ("epoch", "loss"), {"a guess": 2.3}, {"best": 2}, highest=4.0)
    assert [line.name for line in figure.data] == ["wrong: train", "wrong: test", "right"]
    assert [list(line.y) for line in figure.data] == [[9.0, 2.0], [3.0, 4.0], [1.0, 0.5]]
    assert [line.line.color for line in figure.data] == [PALETTE[1], PALETTE[1], PALETTE[0]]
    assert [line.line.dash for line in figure.data] == ["solid", "dot", "solid"]
    assert [note.text for note in figure.layout.annotations] == ["a guess", "best"]
    assert tuple(figure.layout.yaxis.range) == (0, 4.0)


def test_what_is_not_cut_off_is_shown_whole() -> None:
    figure = beside_lines(LINES, ("epoch", "loss"), {}, {})
    assert figure.layout.yaxis.range[1] > 9
    assert beside_lines(LINES, ("epoch", "loss"), {}, {}, from_zero=False).layout.yaxis.range is None


def test_points_carry_their_intervals_and_a_missing_one_keeps_its_place() -> None:
    figure = beside_points(POINTS, ("class", "accuracy"))
    wrong, right = figure.data
    assert wrong.error_y.array[0] == 0.8 - 0.5
    assert list(right.error_y.arrayminus) == [0.9 - 0.8, 0.7 - 0.6]
    assert list(figure.layout.xaxis.categoryarray) == ["a", "b"]
    low, high = figure.layout.yaxis.range
    assert low < 0
    assert high > 1
    assert figure.layout.yaxis.tickformat == ".0%"
