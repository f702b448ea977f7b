"""What is no digit: letters, signs and scribbles, to learn doubt from."""

from __future__ import annotations

import random
from collections.abc import Callable
from math import cos, pi, sin

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from cnnlab.drawings.preprocess import Ink, stroke_ink
from cnnlab.drawings.strokes import CANVAS, Drawing

Line = list[tuple[float, float]]

LETTERS = "ACEFHJKMNPRTUVWXYadefhkmnprtuvwxy@#&?%§"  # but those that are drawn as digits are, as O, l, S, b and q
LETTER_SHARE = 0.4
PENS = (0.08, 0.2)  # thinnest and thickest, in shares of the drawing's longer side
STEPS = 12  # points of a curve


def junk(draws: random.Random) -> Ink:
    """A letter, a sign of several parts or a scribble, (CANVAS, CANVAS); a few look like digits by chance."""
    if draws.random() < LETTER_SHARE:
        return _letter(draws.choice(LETTERS))
    make = draws.choices((_sign, _scribble, _zigzag), (8, 2, 1))[0]
    return stroke_ink(Drawing(strokes=make(draws), pen=draws.uniform(*PENS)))


def _letter(letter: str) -> Ink:
    """In the font that comes with Pillow."""
    image = Image.new("L", (CANVAS, CANVAS))
    font = ImageFont.load_default(size=0.6 * CANVAS)
    ImageDraw.Draw(image).text((CANVAS / 2, CANVAS / 2), letter, fill=255, font=font, anchor="mm")
    return np.asarray(image)


def _sign(draws: random.Random) -> list[Line]:
    """Three to six lines, arcs, loops and spirals, half of them joined to the one before."""
    strokes: list[Line] = []
    for _ in range(draws.randint(3, 6)):
        part = draws.choice(PARTS)(draws)
        if strokes and draws.random() < 0.5:
            (x, y), (x0, y0) = strokes[-1][-1], part[0]
            strokes[-1] += [(px + x - x0, py + y - y0) for px, py in part]
        else:
            strokes.append(part)
    return strokes


def _scribble(draws: random.Random) -> list[Line]:
    """A pen that wanders."""
    x = y = across = down = 0.0
    points = [(x, y)]
    for _ in range(draws.randint(15, 70)):
        across, down = 0.7 * across + draws.gauss(0, 0.1), 0.7 * down + draws.gauss(0, 0.1)
        x, y = min(max(x + across, -0.5), 0.5), min(max(y + down, -0.5), 0.5)
        points.append((x, y))
    return [points]


def _zigzag(draws: random.Random) -> list[Line]:
    """Hatching, level or upright."""
    teeth = draws.randint(4, 14)
    points = [(number / teeth + draws.gauss(0, 0.03), number % 2 + draws.gauss(0, 0.1)) for number in range(teeth)]
    return [points if draws.random() < 0.5 else [(y, x) for x, y in points]]


def _place(draws: random.Random) -> tuple[float, float]:
    """Somewhere on a loose grid, as the ends of letters' strokes are."""
    return draws.choice((-0.4, 0.0, 0.4)) + draws.gauss(0, 0.07), draws.choice((-0.5, -0.2, 0.2, 0.5)) + draws.gauss(
        0, 0.07
    )


def _line(draws: random.Random) -> Line:
    return [_place(draws), _place(draws)]


def _corner(draws: random.Random) -> Line:
    return [_place(draws) for _ in range(draws.randint(3, 5))]


def _arc(draws: random.Random) -> Line:
    """Part of an ellipse, up to a whole one."""
    (x, y), start, length = (
        _place(draws),
        draws.uniform(0, 2 * pi),
        draws.uniform(0.7, 2.1) * pi * draws.choice((-1, 1)),
    )
    width, height = draws.uniform(0.12, 0.5), draws.uniform(0.12, 0.5)
    angles = [start + length * step / STEPS for step in range(STEPS + 1)]
    return [(x + width * cos(angle), y + height * sin(angle)) for angle in angles]


def _spiral(draws: random.Random) -> Line:
    (x, y), turns, size = _place(draws), draws.uniform(1.3, 3), draws.uniform(0.2, 0.5)
    start, way = draws.uniform(0, 2 * pi), draws.choice((-1, 1))
    shares = [step / (STEPS * 2) for step in range(STEPS * 2 + 1)]
    return [
        (
            x + size * share * cos(start + way * turns * 2 * pi * share),
            y + size * share * sin(start + way * turns * 2 * pi * share),
        )
        for share in shares
    ]


PARTS: tuple[Callable[[random.Random], Line], ...] = (_line, _line, _corner, _arc, _arc, _spiral)
