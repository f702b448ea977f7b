from __future__ import annotations

import numpy as np

from cnnlab import charts
from cnnlab.charts.style import MAX_NAME, fitted

BROWN, BLACK = f"{'a cat ' * 10}of brown fur", f"{'a cat ' * 10}of black fur"


def test_long_names_are_cut_and_stay_distinct_while_short_ones_stay() -> None:
    short = fitted(["3", BROWN, "a cat a cat a cat a…", BLACK, "<b>"])
    assert list(short) == ["3", BROWN, "a cat a cat a cat a…", BLACK, "<b>"]
    assert (short["3"], short["<b>"]) == ("3", "&lt;b&gt;")
    assert len(set(short.values())) == len(short)
    assert max(len(name) for name in short.values()) <= MAX_NAME
    assert short[BROWN].endswith("… 2")


def test_hovering_tells_the_whole_of_a_cut_name() -> None:
    (bars,) = charts.per_class_bars({BROWN: 0.5}, "accuracy").data
    assert (list(bars.x), list(bars.hovertext)) == ([fitted([BROWN])[BROWN]], [BROWN])
    grid, cells = charts.confusion(np.ones((2, 2)), [BROWN, BLACK]).data
    assert list(grid.x) == list(fitted([BROWN, BLACK]).values())
    assert cells.hovertext[1] == f"{BROWN} read as {BLACK}"
