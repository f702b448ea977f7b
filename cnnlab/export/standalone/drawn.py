"""Drawn characters as images that look like MNIST: as large, as thick, and in the middle."""

from __future__ import annotations

from math import inf, sqrt

from cnnlab.export.standalone.resizing import Rows, resized

BOX = 20 / 28  # MNIST's ink is scaled into 20×20 of its 28×28 pixels
FAINT = 24  # ink up to this counts as background
FINE = 8  # fine pixels for one of MNIST's: thickness is measured on them
THICKNESS = 2.4  # MNIST's pixels: the mean of its strokes


class EmptyError(ValueError):
    """A picture on which nothing is drawn."""


def prepared(ink: Rows, width: int, height: int) -> Rows:
    """Make ink (0 is paper, 255 ink) look like MNIST, in an image of ``width`` × ``height`` pixels.

    It is cropped, its strokes get MNIST's mean thickness, it is scaled into a box of 20/28 of the image with its centre
    of mass in the middle. Raises EmptyError.
    """
    ink = _cropped(ink)
    if max(len(ink), len(ink[0])) >= 2 * BOX * 28:  # sharp enough to be measured
        distances = _border_distances(ink)
        thickness = _thickness(distances)
        if thickness:
            outwards = FINE * (THICKNESS - thickness) / 2
            ink = _cropped([[255 * (distance > -outwards) for distance in row] for row in distances])
    return _centred(_fitted(ink, BOX * min(width, height)), width, height)


def _cropped(ink: Rows) -> Rows:
    rows = [number for number, row in enumerate(ink) if max(row) > FAINT]
    columns = [number for number, column in enumerate(zip(*ink, strict=True)) if max(column) > FAINT]
    if not rows:
        raise EmptyError("there is nothing drawn")
    return [row[columns[0] : columns[-1] + 1] for row in ink[rows[0] : rows[-1] + 1]]


def _fitted(ink: Rows, side: float) -> Rows:
    """Scale ink with its proportions so that the longer side has ``side`` pixels."""
    scale = side / max(len(ink), len(ink[0]))
    height, width = (max(1, round(length * scale)) for length in (len(ink), len(ink[0])))
    return resized(ink, width, height, is_box=scale < 1)


def _border_distances(ink: Rows) -> list[list[float]]:
    """Return each fine pixel's distance to the ink's border, negative outside, with a margin around."""
    fine = _fitted(ink, FINE * BOX * 28)
    margin = 4 * FINE
    empty = [False] * (len(fine[0]) + 2 * margin)
    sides = [False] * margin
    is_ink = [empty] * margin + [[*sides, *(pixel > 127 for pixel in row), *sides] for row in fine] + [empty] * margin
    inside, outside = _distances(is_ink, False), _distances(is_ink, True)
    return [
        [near if here else -far for here, near, far in zip(*rows, strict=True)]
        for rows in zip(is_ink, inside, outside, strict=True)
    ]


def _distances(mask: list[list[bool]], wanted: bool) -> list[list[float]]:
    """Return each pixel's distance to the nearest that is ``wanted`` (Felzenszwalb and Huttenlocher 2012)."""
    columns = [_along([0.0 if pixel == wanted else inf for pixel in column]) for column in zip(*mask, strict=True)]
    rows = [_along(list(row)) for row in zip(*columns, strict=True)]
    return [[sqrt(square) for square in row] for row in rows]


def _along(heights: list[float]) -> list[float]:
    """Return at each place the least of all heights there and elsewhere, with the square of the way added."""
    lowest: list[int] = []  # places whose parabolas are the lowest somewhere
    begins: list[float] = []  # where
    for place, height in enumerate(heights):
        if height == inf:
            continue
        begin = -inf
        while lowest:
            other = lowest[-1]
            begin = (height + place * place - heights[other] - other * other) / (2 * (place - other))
            if begin > begins[-1]:
                break
            lowest.pop()
            begins.pop()
            begin = -inf
        lowest.append(place)
        begins.append(begin)
    found, at = [], 0
    for place in range(len(heights)):
        while at + 1 < len(begins) and begins[at + 1] < place:
            at += 1
        found.append(heights[lowest[at]] + (place - lowest[at]) ** 2 if lowest else inf)
    return found


def _thickness(distances: list[list[float]]) -> float:
    """Measure the strokes by the ridges along their middles, in MNIST's pixels; 0 where there are none."""
    across = [[max(row[max(x - 1, 0) : x + 2]) for x in range(len(row))] for row in distances]
    ridge = sorted(
        distance
        for y, row in enumerate(distances)
        for x, distance in enumerate(row)
        if distance > 0 and distance == max(near[x] for near in across[max(y - 1, 0) : y + 2])
    )
    if not ridge:
        return 0.0
    middle = len(ridge) // 2
    return (ridge[middle] + ridge[~middle]) / FINE


def _centred(box: Rows, width: int, height: int) -> Rows:
    """Put ink into a black image, its centre of mass in the middle if there is room."""
    mass = sum(map(sum, box))
    down = sum(number * sum(row) for number, row in enumerate(box)) / mass
    across = sum(number * sum(column) for number, column in enumerate(zip(*box, strict=True))) / mass
    top = min(max(round((height - 1) / 2 - down), 0), height - len(box))
    left = min(max(round((width - 1) / 2 - across), 0), width - len(box[0]))
    image = [[0] * width for _ in range(height)]
    for number, row in enumerate(box):
        image[top + number][left : left + len(row)] = row
    return image
