"""Drawings of non-digits, as a person would draw them; different from those that the gate was trained on."""

from __future__ import annotations

import random
from math import cos, pi, sin

import numpy as np

from cnnlab.drawings.preprocess import Ink, stroke_ink
from cnnlab.drawings.strokes import CANVAS, Drawing

Line = list[tuple[float, float]]

EACH = 5  # drawings of a letter or sign
SCRIBBLES = 200
PENS = (0.06, 0.1, 0.133, 0.2)  # width, as a share of the drawing's longer side

_ROUND = [(0.5 + 0.5 * cos(angle * pi / 12), 0.5 + 0.5 * sin(angle * pi / 12)) for angle in range(25)]

# Points in a unit square. Letters that are drawn as digits are (O, l, S, Z, b, g, q) are left out.
LETTERS: dict[str, list[Line]] = {
    "A": [[(0, 1), (0.5, 0), (1, 1)], [(0.2, 0.6), (0.8, 0.6)]],
    "C": [[(1, 0.15), (0.6, 0), (0.2, 0.15), (0, 0.5), (0.2, 0.85), (0.6, 1), (1, 0.85)]],
    "E": [[(0.8, 0), (0, 0), (0, 1), (0.8, 1)], [(0, 0.5), (0.6, 0.5)]],
    "F": [[(0.8, 0), (0, 0), (0, 1)], [(0, 0.45), (0.6, 0.45)]],
    "H": [[(0, 0), (0, 1)], [(0.8, 0), (0.8, 1)], [(0, 0.5), (0.8, 0.5)]],
    "K": [[(0, 0), (0, 1)], [(0.8, 0), (0, 0.5), (0.8, 1)]],
    "M": [[(0, 1), (0, 0), (0.5, 0.6), (1, 0), (1, 1)]],
    "N": [[(0, 1), (0, 0), (0.8, 1), (0.8, 0)]],
    "P": [[(0, 1), (0, 0), (0.6, 0.05), (0.7, 0.25), (0.6, 0.45), (0, 0.5)]],
    "R": [[(0, 1), (0, 0), (0.6, 0.05), (0.7, 0.25), (0.6, 0.45), (0, 0.5)], [(0.2, 0.5), (0.8, 1)]],
    "T": [[(0, 0), (1, 0)], [(0.5, 0), (0.5, 1)]],
    "U": [[(0, 0), (0, 0.7), (0.2, 0.95), (0.4, 1), (0.6, 0.95), (0.8, 0.7), (0.8, 0)]],
    "V": [[(0, 0), (0.45, 1), (0.9, 0)]],
    "W": [[(0, 0), (0.25, 1), (0.5, 0.3), (0.75, 1), (1, 0)]],
    "X": [[(0, 0), (0.9, 1)], [(0.9, 0), (0, 1)]],
    "Y": [[(0, 0), (0.45, 0.5)], [(0.9, 0), (0.45, 0.5), (0.45, 1)]],
    "a": [
        [
            (0.8, 0.2),
            (0.5, 0),
            (0.1, 0.2),
            (0, 0.6),
            (0.2, 0.95),
            (0.5, 0.95),
            (0.8, 0.6),
            (0.8, 0.1),
            (0.8, 0.9),
            (1, 1),
        ]
    ],
    "e": [[(0, 0.5), (0.9, 0.45), (0.8, 0.1), (0.4, 0), (0.05, 0.3), (0.05, 0.7), (0.4, 1), (0.9, 0.85)]],
    "h": [[(0, 0), (0, 1), (0.05, 0.6), (0.3, 0.45), (0.55, 0.55), (0.6, 1)]],
    "k": [[(0, 0), (0, 1)], [(0.5, 0.4), (0, 0.7), (0.55, 1)]],
    "m": [
        [
            (0, 0.3),
            (0, 1),
            (0.05, 0.5),
            (0.25, 0.35),
            (0.4, 0.5),
            (0.4, 1),
            (0.45, 0.5),
            (0.65, 0.35),
            (0.85, 0.5),
            (0.85, 1),
        ]
    ],
    "n": [[(0, 0.2), (0, 1), (0.1, 0.4), (0.4, 0.2), (0.7, 0.4), (0.7, 1)]],
    "r": [[(0, 0.1), (0, 1), (0.05, 0.5), (0.3, 0.2), (0.6, 0.2)]],
    "t": [[(0.4, 0), (0.4, 0.8), (0.6, 1), (0.9, 0.9)], [(0, 0.3), (0.8, 0.3)]],
    "w": [[(0, 0), (0.2, 1), (0.45, 0.3), (0.7, 1), (0.9, 0)]],
    "x": [[(0, 0), (0.8, 0.8)], [(0.8, 0), (0, 0.8)]],
}
SIGNS: dict[str, list[Line]] = {
    "star": [[(0.5, 0), (0.8, 1), (0, 0.35), (1, 0.35), (0.2, 1), (0.5, 0)]],
    "face": [
        _ROUND,
        [(0.3, 0.35), (0.32, 0.38)],
        [(0.7, 0.35), (0.68, 0.38)],
        [(0.25, 0.65), (0.5, 0.8), (0.75, 0.65)],
    ],
    "heart": [[(0.5, 0.3), (0.3, 0), (0, 0.2), (0.1, 0.6), (0.5, 1), (0.9, 0.6), (1, 0.2), (0.7, 0), (0.5, 0.3)]],
    "arrow": [[(0, 0.5), (1, 0.5)], [(0.7, 0.2), (1, 0.5), (0.7, 0.8)]],
    "grid": [[(0.33, 0), (0.33, 1)], [(0.66, 0), (0.66, 1)], [(0, 0.33), (1, 0.33)], [(0, 0.66), (1, 0.66)]],
    "triangle": [[(0.5, 0), (1, 1), (0, 1), (0.5, 0)]],
    "house": [[(0, 1), (0, 0.4), (0.5, 0), (1, 0.4), (1, 1), (0, 1)], [(0.4, 1), (0.4, 0.6), (0.6, 0.6), (0.6, 1)]],
    "plus": [[(0.5, 0), (0.5, 1)], [(0, 0.5), (1, 0.5)]],
    "equals": [[(0, 0.3), (1, 0.3)], [(0, 0.7), (1, 0.7)]],
    "question": [[(0, 0.2), (0.3, 0), (0.6, 0.2), (0.3, 0.5), (0.3, 0.7)], [(0.3, 0.95), (0.31, 1)]],
    "wave": [[(0, 0.5), (0.15, 0.2), (0.3, 0.8), (0.45, 0.2), (0.6, 0.8), (0.75, 0.2), (0.9, 0.8)]],
}


def signs(draws: random.Random) -> dict[str, list[Ink]]:
    """Return kinds of non-digits, each with some drawings (CANVAS, CANVAS)."""
    blot = np.full((CANVAS, CANVAS), 255, np.uint8)
    return {
        "letters": [_drawn(lines, draws) for lines in LETTERS.values() for _ in range(EACH)],
        "signs": [_drawn(lines, draws) for lines in SIGNS.values() for _ in range(EACH)],
        "scribbles": [_drawn(_scribble(draws), draws) for _ in range(SCRIBBLES)],
        "a dot": [stroke_ink(Drawing(strokes=[[(0.5, 0.5)]]))],
        "all black": [blot],
    }


def _drawn(lines: list[Line], draws: random.Random) -> Ink:
    """Render lines with an unsteady pen: every point is shifted a little, the whole rotated and narrowed."""
    angle, across = draws.uniform(-0.15, 0.15), draws.uniform(0.7, 1.2)
    strokes = []
    for line in lines:
        shaken = [(across * x + draws.gauss(0, 0.04), y + draws.gauss(0, 0.04)) for x, y in line]
        strokes.append([(x * cos(angle) - y * sin(angle), x * sin(angle) + y * cos(angle)) for x, y in shaken])
    return stroke_ink(Drawing(strokes=strokes, pen=draws.choice(PENS)))


def _scribble(draws: random.Random) -> list[Line]:
    """Return many random points, joined in a few strokes or one long one."""
    if draws.random() < 0.5:
        return [[(draws.random(), draws.random()) for _ in range(draws.randint(8, 25))]]
    return [[(draws.random(), draws.random()) for _ in range(draws.randint(2, 6))] for _ in range(draws.randint(3, 6))]
