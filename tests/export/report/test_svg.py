from __future__ import annotations

import re
from itertools import pairwise

import pytest

from cnnlab.export.report.svg import HEIGHT, LINE, WIDTH, Line, axis, line_chart, numbers, shares


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([0.03, 0.97], ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        ([1, 2, 3], ["1", "2", "3"]),
        ([1, 45], ["0", "10", "20", "30", "40", "50"]),
        ([7], ["6", "8"]),
    ],
)
def test_ticks_are_round_and_hold_all_values(values: list[float], ticks: list[str]) -> None:
    made = axis(values, finest=0 if max(values) < 1 else 1)
    assert [numbers(tick) for tick in made.ticks] == ticks
    assert made.low <= min(values) <= max(values) <= made.high


def test_labels_of_lines_that_end_together_stand_apart_within_the_chart() -> None:
    x, y = axis([1, 2], "epoch", finest=1), axis([0.0, 1.0], written=shares)
    chart = line_chart([Line(f"<{name}>", [1, 2], [0, 0.01], "#123456") for name in "abcd"], x, y, '"alt"')
    heights = sorted(float(top) for top in re.findall(r'y="([\d.]+)" text-anchor="start"', chart))
    assert all(below - above >= LINE - 0.11 for above, below in pairwise(heights))
    assert heights[-1] < HEIGHT
    assert "&lt;a&gt;" in chart
    assert 'aria-label="&#34;alt&#34;"' in chart
    assert max(float(at) for at in re.findall(r'x="([\d.]+)" y="[\d.]+" text-anchor="start"', chart)) < WIDTH
