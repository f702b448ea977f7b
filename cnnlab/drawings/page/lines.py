"""How characters stand in lines, and how much those rise."""

from __future__ import annotations

import numpy as np

from cnnlab.drawings.page.page import Floats, Indices
from cnnlab.drawings.page.parts import usual_side

STEEPEST, STEP = 15.0, 0.5  # degrees, the page's turn
USUAL = 8.0  # degrees, standard deviation of a photo's turn
NEW_LINE = 6.0  # squared standard deviations that must be gained by another line
# The following are shares of the usual character's height.
WRITTEN = 0.5  # height, of a character that tells where its line lies
NEXT_LINE = 0.6  # so much lower than the line is another line
JITTER = 0.15  # standard deviation of a character's place on its line


def lines_of(boxes: Indices) -> tuple[float, Indices]:
    """How characters stand in lines: the lines' rise, degrees anticlockwise, and each character's line, from 0.

    The likeliest of some turns, given that pages are turned little, characters stand near their line, and lines are
    few.
    """
    usual = usual_side(boxes)
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2 / usual  # rows and columns
    tall = boxes[:, 2] - boxes[:, 0] >= WRITTEN * usual
    tall |= ~tall.any()
    best = (np.inf, 0.0, np.zeros(len(boxes), np.intp))
    for rise in np.arange(-STEEPEST, STEEPEST + STEP, STEP):
        rows = middles[:, 0] + np.tan(np.radians(rise)) * middles[:, 1]
        heights = _line_rows(np.sort(rows[tall]))
        off = np.abs(rows[:, None] - heights)
        cost = (off[tall].min(1) ** 2).sum() / JITTER**2 + (rise / USUAL) ** 2 + NEW_LINE * len(heights)
        best = min(best, (cost, float(rise), off.argmin(1)), key=lambda found: found[0])
    return best[1:]


def _line_rows(rows: Floats) -> Floats:
    """Sorted rows of characters, in their usual height → the lines' mean rows."""
    lines = [[rows[0]]]
    for row in rows[1:]:
        if row - np.mean(lines[-1]) > NEXT_LINE:
            lines.append([])
        lines[-1].append(row)
    return np.array([np.mean(line) for line in lines])
