from __future__ import annotations

import numpy as np

from cnnlab.charts.grids import CHOSEN, FEEDING, FOLLOWED, coloured_grid, number_grid, written
from cnnlab.palette import PALETTE

VALUES = np.array([[1.0, -2.5], [0.0, np.nan]])


def test_a_grid_writes_each_number_into_its_cell() -> None:
    figure = number_grid(VALUES, "", empty="−∞")
    (heatmap,) = figure.data
    assert [list(row) for row in heatmap.text] == [["1", "−2.5"], ["0", "−∞"]]
    assert heatmap.zmax == -heatmap.zmin == 5.0
    (annotation,) = figure.layout.annotations
    assert (annotation.x, annotation.y, annotation.text) == (1, 1, "−∞")


def test_a_window_without_gaps_gets_one_outline_and_one_with_gaps_many() -> None:
    together = number_grid(np.ones((3, 3)), "", [(0, 0), (0, 1), (1, 0), (1, 1)], chosen=(1, 1))
    assert [shape.line.color for shape in together.layout.shapes] == [FEEDING, CHOSEN]
    assert (together.layout.shapes[0].x0, together.layout.shapes[0].x1) == (-0.47, 1.47)
    apart = number_grid(np.ones((3, 3)), "", [(0, 0), (0, 2), (2, 0), (2, 2)])
    assert len(apart.layout.shapes) == 4


def test_names_stand_beside_and_above() -> None:
    figure = number_grid(np.zeros((2, 3)), "", rows=("a", "b"), columns=("x", "y", "z"))
    assert list(figure.layout.yaxis.ticktext) == ["a", "b"]
    assert list(figure.layout.xaxis.ticktext) == ["x", "y", "z"]
    assert figure.data[0].zmax > 0


def test_a_coloured_grid_gives_each_group_its_colour() -> None:
    groups = np.array([[0.0, 0.0], [1.0, 1.0]])
    (heatmap,) = coloured_grid(np.array([[0.0, 1.0], [2.0, 3.0]]), groups, (1, 1)).data
    shades = np.array(heatmap.z)
    assert shades[0, 0] == shades[0, 1] != shades[1, 0] != shades[1, 1]
    assert {colour for _, colour in heatmap.colorscale} == {*PALETTE[:3], FOLLOWED}
    assert groups.tolist() == [[0.0, 0.0], [1.0, 1.0]]


def test_numbers_are_short_and_have_a_true_minus() -> None:
    assert [written(value) for value in (0.0, -0.0, -1.23456, 12.0)] == ["0", "0", "−1.23", "12"]
