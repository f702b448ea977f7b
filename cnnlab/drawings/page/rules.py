"""The lines that paper is ruled or squared with, taken off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_dilation

from cnnlab.drawings.images import Mask
from cnnlab.drawings.page.ink import WEAK, levels
from cnnlab.drawings.page.page import Floats, Indices

RULE = 0.007  # of the longer side, the thickest of ruled lines
STEEPEST = 15.0  # degrees, the page's turn
STEP = 0.5  # degrees
BIN = 3  # pixels, so exactly is a rule's place known
LONG = 0.4  # of the page's width, covered by one that is sure
SHORT = 0.08  # of the page's width, the shortest in a corner
COVERED = 0.6  # of its length, by one beside sure ones
ALIKE = 2.0  # degrees, between the rules of a page
FEW = 3  # rules are enough to be sure of a ruled page
MANY = 200
DENSE = 0.2  # of the page, more is no ruling
ACROSS = 0.93  # of the page's width, covered by a lone rule


def without_rules(ink: Floats) -> tuple[Floats, float | None]:
    """The ink less the lines that the paper is ruled or squared with; their angle, None where there are hardly any.

    Rules are the long, thin, straight lines (Hough transform, Duda and Hart 1972); where a stroke crosses one it
    stays. Degrees, anticlockwise. Raises DrawingError where there is nothing as dark as a pen.
    """
    mask = ink > WEAK * levels(ink)[0]
    left, angles = mask.copy(), list[float]()
    for view, sign in ((left, 1), (left.T, -1)):  # the near-horizontal ones, then the others
        for rule in _Rules(view).found():
            view[rule.rows, rule.columns] = False
            angles.append(sign * rule.angle)
    gone = binary_dilation(mask & ~left, np.ones((3, 3))) & ~left
    return np.where(gone, 0, ink), float(np.median(angles)) if len(angles) > 1 else None


@dataclass(frozen=True)
class _Rule:
    angle: float  # degrees, anticlockwise
    rows: Indices  # of its pixels
    columns: Indices


class _Rules:
    """The near-horizontal rules of a mask: each is voted for by the thin pixels on it, one vote a column."""

    def __init__(self, mask: Mask) -> None:
        height, self.width = mask.shape
        thickness = _thicknesses(mask)
        thin = mask & (thickness <= max(2, round(RULE * max(mask.shape))))
        self.rows, self.columns = np.nonzero(thin & (thin.mean() < DENSE))
        self.thickness = thickness[self.rows, self.columns]
        self.turns = np.arange(-STEEPEST, STEEPEST + STEP, STEP)  # degrees, anticlockwise
        drops = np.tan(np.radians(self.turns))[:, None]  # pixels, a column to the left
        most = float(drops.max()) * self.width / 2 + BIN
        # The bin of the middle column that a rule through a pixel meets, for each turn: (turns, pixels).
        self.places = ((self.rows + drops * (self.columns - self.width / 2) + most) / BIN).astype(np.intp)
        self.bins = int((height + 2 * most) / BIN) + 1
        middles = np.arange(1, self.bins) * BIN - most
        ends = np.stack([middles - drops * self.width / 2, middles + drops * self.width / 2])
        # The share of the width in which a rule lies on the page: (turns, bins − 1).
        self.lengths = (np.ptp(ends.clip(0, height), axis=0) + 1e-9) / (np.ptp(ends, axis=0) + 1e-9)
        self.lengths[(ends < 0).all(0) | (ends > height).all(0)] = 0

    def found(self) -> list[_Rule]:
        """Many long ones, and shorter ones in their direction; else those that cross the whole page."""
        left = np.ones(len(self.rows), bool)
        rules = list(self._taken(left, np.ones_like(self.lengths), LONG))
        if len(rules) < FEW:
            return [rule for rule in rules if np.ptp(rule.columns) > ACROSS * self.width]
        alike = np.abs(self.turns - np.median([rule.angle for rule in rules])) <= ALIKE
        sure = alike[:, None] & (self.lengths > SHORT)
        weights = np.divide(1, self.lengths, out=np.zeros_like(self.lengths), where=sure)
        return [*rules, *self._taken(left, weights, COVERED)]

    def _taken(self, left: Mask, weights: Floats, least: float) -> Iterator[_Rule]:
        """The rules of the most weighted votes, in shares of the width; their pixels are no longer ``left``."""
        votes = self._votes(left)
        for _ in range(MANY):
            shares = weights * (votes[:, :-1] + votes[:, 1:]) / self.width  # a rule may lie on two bins' border
            turn, place = np.unravel_index(shares.argmax(), shares.shape)
            if shares[turn, place] < least:
                return
            near = left & (np.abs(self.places[turn] - place - 0.5) < 1.6)
            left &= ~near
            votes -= self._votes(near)
            thin = near & (self.thickness <= np.median(self.thickness[near]) + 2)
            yield _Rule(float(self.turns[turn]), self.rows[thin], self.columns[thin])

    def _votes(self, pixels: Mask) -> Floats:
        """(turns, bins)."""
        flat = self.places[:, pixels] + np.arange(len(self.turns))[:, None] * self.bins
        votes = np.broadcast_to(1 / self.thickness[pixels], flat.shape)
        counts: Floats = np.bincount(flat.ravel(), votes.ravel(), len(self.turns) * self.bins).astype(np.float64)
        return counts.reshape(-1, self.bins)


def _thicknesses(mask: Mask) -> Indices:
    """How many pixels of the mask lie above one another, at each pixel of it."""
    rows = np.arange(len(mask))[:, None]
    above = np.maximum.accumulate(np.where(mask, -1, rows), axis=0)
    below = np.minimum.accumulate(np.where(mask, len(mask), rows)[::-1], axis=0)[::-1]
    return below - above - 1
