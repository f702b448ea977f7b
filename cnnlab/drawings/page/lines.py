"""Lines of characters and their slope."""

from __future__ import annotations

import numpy as np

from cnnlab.drawings.page.page import Floats, Indices
from cnnlab.drawings.page.parts import usual_side

STEEPEST, STEP = 15.0, 0.5  # degrees of the lines' slope that are tried
USUAL = 8.0  # degrees, standard deviation of photos' rotation
NEW_LINE = 6.0  # cost of another line, in squared standard deviations
# The following are shares of the usual character's height.
WRITTEN = 0.5  # least height of a character that counts for the place of its line
NEXT_LINE = 0.6  # distance below a line that starts the next one
JITTER = 0.15  # standard deviation of a character's distance from its line


def lines_of(boxes: Indices) -> tuple[float, Indices]:
    """Return the lines' slope in degrees, anticlockwise, and each character's line, from 0.

    It is the likeliest of several slopes, given that pages are rotated little, characters stand near their line and
    lines are few.
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
        best = min(best, (cost, float(rise), off.argmin(1)), key=lambda candidate: candidate[0])
    return best[1:]


def _line_rows(rows: Floats) -> Floats:
    """Return the lines' mean rows for sorted rows of characters, in units of their usual height."""
    lines = [[rows[0]]]
    for row in rows[1:]:
        if row - np.mean(lines[-1]) > NEXT_LINE:
            lines.append([])
        lines[-1].append(row)
    return np.array([np.mean(line) for line in lines])
