from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from cnnlab import charts
from cnnlab.charts.style import APART, MAX_NAME, end_labels, fitted, log_axis

BROWN, BLACK = f"{'a cat ' * 10}of brown fur", f"{'a cat ' * 10}of black fur"


def test_long_names_are_cut_and_stay_distinct_while_short_ones_stay() -> None:
    short = fitted(["3", BROWN, "a cat a cat a cat a…", BLACK, "<b>"])
    assert list(short) == ["3", BROWN, "a cat a cat a cat a…", BLACK, "<b>"]
    assert (short["3"], short["<b>"]) == ("3", "&lt;b&gt;")
    assert len(set(short.values())) == len(short)
    assert max(len(name) for name in short.values()) <= MAX_NAME
    assert short[BROWN].endswith("… 2")


def test_hovering_tells_the_whole_of_a_cut_name() -> None:
    (bars,) = charts.per_class_bars({BROWN: 0.5}, "Each")["data"]
    assert (bars["x"], bars["hovertext"]) == ([fitted([BROWN])[BROWN]], [BROWN])
    grid, cells = charts.confusion(np.ones((2, 2)), [BROWN, BLACK]).data
    assert list(grid.x) == list(fitted([BROWN, BLACK]).values())
    assert cells.hovertext[1] == f"{BROWN} read as {BLACK}"


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([0.2, 1.5], ["0.1", "0.2", "0.5", "1", "2", "5", "10", "20", "50"]),
        ([0.001, 700.0], ["0.001", "0.01", "0.1", "1", "10", "100", "1000"]),
        ([1e-8, 20.0], ["10<sup>-8</sup>", "10<sup>-6</sup>", "10<sup>-4</sup>", "0.01", "1", "100"]),
        ([float("nan"), float("inf"), 0.0], ["1", "2", "5"]),
    ],
)
def test_a_logarithmic_axis_has_whole_labels(values: list[float], labels: list[str]) -> None:
    assert log_axis(values)["ticktext"] == labels


@pytest.mark.parametrize("axis", [{"rangemode": "tozero"}, {"type": "log"}])
def test_labels_at_the_ends_of_lines_lie_neither_on_each_other_nor_on_the_axis(axis: dict[str, str]) -> None:
    ends = {"train": 0.0301, "validation": 0.03, "parent": 0.0302}
    lines = [{"name": name, "x": [1, 38], "y": [2.0, end], "line": {"color": "#000000"}} for name, end in ends.items()]
    shifts = {note["text"]: note["yshift"] for note in end_labels(lines, {name: name for name in ends}, axis)}
    ordered = [shifts[f"<b>{name}</b>"] for name in sorted(ends, key=ends.__getitem__)]
    assert all(upper - lower >= APART - 2 for lower, upper in pairwise(ordered))
    assert ordered[0] >= 0  # these lines end at the axis
