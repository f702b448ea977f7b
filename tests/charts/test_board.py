from __future__ import annotations

import pandas as pd
import pytest

from cnnlab.charts.board import accuracies
from cnnlab.palette import PALETTE


def test_each_person_has_a_point_with_its_interval_and_ties_are_grey() -> None:
    table = pd.DataFrame({"Name": ["Ada", "<b>Bob"], "Test": [0.9, 0.8], "Low": [0.85, 0.7], "High": [0.93, 0.88]})
    figure = accuracies(table, [False, True])
    (points,) = figure.data
    assert list(points.x) == [0.9, 0.8]
    assert list(points.error_x.array) == pytest.approx([0.03, 0.08])
    assert list(points.error_x.arrayminus) == pytest.approx([0.05, 0.1])
    assert list(points.marker.color) == [PALETTE[0], PALETTE[8]]
    assert list(figure.layout.yaxis.ticktext) == ["Ada", "&lt;b&gt;Bob"]
    assert figure.layout.yaxis.autorange == "reversed"
    assert figure.layout.yaxis.zeroline is False  # which would cross out the first
