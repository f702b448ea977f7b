"""Random drawings of anything but digits: letters, signs and scribbles, to train out-of-distribution detection."""

from __future__ import annotations

import random
from collections.abc import Callable
from math import cos, pi, sin

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from cnnlab.drawings.preprocess import Ink, stroke_ink
from cnnlab.drawings.strokes import CANVAS, Drawing

Line = list[tuple[float, float]]

LETTERS = "ACEFHJKMNPRTUVWXYadefhkmnprtuvwxy@#&?%§"  # without those drawn like digits: O, l, S, b, q, …
LETTER_SHARE = 0.4
PENS = (0.08, 0.2)  # thinnest and thickest, as shares of the drawing's longer side
STEPS = 12  # points of a curve


def sample_non_digit(generator: random.Random) -> Ink:
    """Draw a random letter, sign or scribble: (CANVAS, CANVAS). A few look like digits by chance."""
    if generator.random() < LETTER_SHARE:
        return _letter(generator.choice(LETTERS))
    make = generator.choices((_sign, _scribble, _zigzag), (8, 2, 1))[0]
    return stroke_ink(Drawing(strokes=make(generator), pen=generator.uniform(*PENS)))


def _letter(letter: str) -> Ink:
    """Draw a letter in the font that comes with Pillow."""
    image = Image.new("L", (CANVAS, CANVAS))
    font = ImageFont.load_default(size=0.6 * CANVAS)
    ImageDraw.Draw(image).text((CANVAS / 2, CANVAS / 2), letter, fill=255, font=font, anchor="mm")
    return np.asarray(image)


def _sign(generator: random.Random) -> list[Line]:
    """Draw three to six lines, arcs, loops and spirals, half of them joined to the previous one."""
    strokes: list[Line] = []
    for _ in range(generator.randint(3, 6)):
        part = generator.choice(PARTS)(generator)
        if strokes and generator.random() < 0.5:
            (x, y), (x0, y0) = strokes[-1][-1], part[0]
            strokes[-1] += [(px + x - x0, py + y - y0) for px, py in part]
        else:
            strokes.append(part)
    return strokes


def _scribble(generator: random.Random) -> list[Line]:
    """Draw the random walk of a pen."""
    x = y = across = down = 0.0
    points = [(x, y)]
    for _ in range(generator.randint(15, 70)):
        across, down = 0.7 * across + generator.gauss(0, 0.1), 0.7 * down + generator.gauss(0, 0.1)
        x, y = min(max(x + across, -0.5), 0.5), min(max(y + down, -0.5), 0.5)
        points.append((x, y))
    return [points]


def _zigzag(generator: random.Random) -> list[Line]:
    """Draw a zigzag, horizontal or vertical."""
    teeth = generator.randint(4, 14)
    points = [
        (number / teeth + generator.gauss(0, 0.03), number % 2 + generator.gauss(0, 0.1)) for number in range(teeth)
    ]
    return [points if generator.random() < 0.5 else [(y, x) for x, y in points]]


def _point(generator: random.Random) -> tuple[float, float]:
    """Choose a point near a node of a loose grid, like the ends of letters' strokes."""
    x = generator.choice((-0.4, 0.0, 0.4)) + generator.gauss(0, 0.07)
    y = generator.choice((-0.5, -0.2, 0.2, 0.5)) + generator.gauss(0, 0.07)
    return x, y


def _line(generator: random.Random) -> Line:
    return [_point(generator), _point(generator)]


def _corner(generator: random.Random) -> Line:
    return [_point(generator) for _ in range(generator.randint(3, 5))]


def _arc(generator: random.Random) -> Line:
    """Draw part of an ellipse, up to a whole one."""
    (x, y), start = _point(generator), generator.uniform(0, 2 * pi)
    length = generator.uniform(0.7, 2.1) * pi * generator.choice((-1, 1))
    width, height = generator.uniform(0.12, 0.5), generator.uniform(0.12, 0.5)
    angles = [start + length * step / STEPS for step in range(STEPS + 1)]
    return [(x + width * cos(angle), y + height * sin(angle)) for angle in angles]


def _spiral(generator: random.Random) -> Line:
    (x, y), turns, size = _point(generator), generator.uniform(1.3, 3), generator.uniform(0.2, 0.5)
    start, way = generator.uniform(0, 2 * pi), generator.choice((-1, 1))
    shares = [step / (STEPS * 2) for step in range(STEPS * 2 + 1)]
    return [
        (
            x + size * share * cos(start + way * turns * 2 * pi * share),
            y + size * share * sin(start + way * turns * 2 * pi * share),
        )
        for share in shares
    ]


PARTS: tuple[Callable[[random.Random], Line], ...] = (_line, _line, _corner, _arc, _arc, _spiral)
