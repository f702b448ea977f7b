"""Removal of the lines of ruled or squared paper."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_dilation

from cnnlab.drawings.images import Mask
from cnnlab.drawings.page.ink import WEAK, levels
from cnnlab.drawings.page.page import Floats, Indices

RULE = 0.007  # thickest rule, as a share of the longer side
STEEPEST = 15.0  # degrees, largest rotation of a page
STEP = 0.5  # degrees
BIN = 3  # pixels, resolution of a rule's place
LONG = 0.4  # share of the page's width that a certain rule covers
SHORT = 0.08  # share of the page's width of the shortest rule, in a corner
COVERED = 0.6  # share of its length that another rule of such a page covers
ALIKE = 2.0  # degrees, largest difference between the rules of a page
FEW = 3  # certain rules that make a page a ruled one
MANY = 200  # rules at most
DENSE = 0.2  # share of thin ink on the page: more is no ruling
ACROSS = 0.93  # share of the page's width that a lone rule spans


def without_rules(ink: Floats) -> tuple[Floats, float | None]:
    """Remove the paper's rules from ink (H, W). Returns it with their angle in degrees, anticlockwise.

    Rules are long, thin, straight lines (Hough transform, Duda and Hart 1972); a stroke across one stays. The angle is
    None for fewer than two rules. Raises DrawingError if nothing is as dark as a pen.
    """
    mask = ink > WEAK * levels(ink)[0]
    writing, angles = mask.copy(), list[float]()
    for view, sign in ((writing, 1), (writing.T, -1)):  # the near-horizontal ones, then the others
        for rule in _Hough(view).rules():
            view[rule.rows, rule.columns] = False
            angles.append(sign * rule.angle)
    ruled = binary_dilation(mask & ~writing, np.ones((3, 3))) & ~writing
    return np.where(ruled, 0, ink), float(np.median(angles)) if len(angles) > 1 else None


@dataclass(frozen=True)
class _Rule:
    angle: float  # degrees, anticlockwise
    rows: Indices  # of its pixels
    columns: Indices


class _Hough:
    """Find the near-horizontal rules of a mask: thin pixels vote for the lines through them, one vote a column."""

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

    def rules(self) -> list[_Rule]:
        """Return the long rules and shorter ones in their direction; of fewer than FEW those across the whole page."""
        free = np.ones(len(self.rows), bool)  # pixels of no rule yet
        rules = list(self._strongest(free, np.ones_like(self.lengths), LONG))
        if len(rules) < FEW:
            return [rule for rule in rules if np.ptp(rule.columns) > ACROSS * self.width]
        alike = np.abs(self.turns - np.median([rule.angle for rule in rules])) <= ALIKE
        is_possible = alike[:, None] & (self.lengths > SHORT)
        weights = np.divide(1, self.lengths, out=np.zeros_like(self.lengths), where=is_possible)
        return [*rules, *self._strongest(free, weights, COVERED)]

    def _strongest(self, free: Mask, weights: Floats, least: float) -> Iterator[_Rule]:
        """Yield rules whose weighted votes reach ``least``, a share of the width, and clear their ``free`` pixels."""
        votes = self._votes(free)
        for _ in range(MANY):
            shares = weights * (votes[:, :-1] + votes[:, 1:]) / self.width  # a rule may lie on two bins' border
            turn, place = np.unravel_index(shares.argmax(), shares.shape)
            if shares[turn, place] < least:
                return
            near = free & (np.abs(self.places[turn] - place - 0.5) < 1.6)
            free &= ~near
            votes -= self._votes(near)
            thin = near & (self.thickness <= np.median(self.thickness[near]) + 2)
            yield _Rule(float(self.turns[turn]), self.rows[thin], self.columns[thin])

    def _votes(self, pixels: Mask) -> Floats:
        """Count the votes of the chosen ``pixels``: (turns, bins)."""
        flat = self.places[:, pixels] + np.arange(len(self.turns))[:, None] * self.bins
        votes = np.broadcast_to(1 / self.thickness[pixels], flat.shape)
        counts: Floats = np.bincount(flat.ravel(), votes.ravel(), len(self.turns) * self.bins).astype(np.float64)
        return counts.reshape(-1, self.bins)


def _thicknesses(mask: Mask) -> Indices:
    """Return the vertical thickness of the mask, in pixels, at each of its pixels: (H, W)."""
    rows = np.arange(len(mask))[:, None]
    above = np.maximum.accumulate(np.where(mask, -1, rows), axis=0)
    below = np.minimum.accumulate(np.where(mask, len(mask), rows)[::-1], axis=0)[::-1]
    return below - above - 1
