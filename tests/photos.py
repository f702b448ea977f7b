"""Photos of paper with handwriting on it, made of drawn characters: uneven light, a pen, lines, a hand-held camera."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import numpy.typing as npt
from numpy.random import Generator
from PIL import Image
from scipy.ndimage import gaussian_filter

from cnnlab.digits import Ink

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Paper:
    """How the paper lies before the camera, and what the camera makes of it."""

    ruled: str = "plain"  # plain, ruled, squared
    rule: float = 0.2  # darkness of its lines
    pen: float = 0.7  # darkness of the pen's strokes
    angle: float = 0.0  # degrees, anticlockwise
    perspective: float = 0.0  # share of the size by which the far edge is shorter
    table: float | None = None  # lightness of what the paper lies on, None where all is paper
    dim: float = 0.8  # light in the darkest corner
    shadow: float = 1.0  # light in a shadow's core, 1 where there is none
    blur: float = 0.8  # pixels
    noise: float = 3.0  # of 255
    quality: int = 80  # JPEG
    inverted: bool = False  # light on dark
    gap: tuple[float, float] = (0.15, 0.7)  # between characters, of their height

    @classmethod
    def at_random(cls, rng: Generator, steepest: float = 10) -> Paper:
        """As people take photos."""
        return cls(
            ruled=str(rng.choice(["plain", "plain", "ruled", "squared"])),
            rule=rng.uniform(0.05, 0.4),
            pen=rng.uniform(0.45, 0.9),
            angle=rng.uniform(-steepest, steepest),
            perspective=rng.uniform(-0.06, 0.06),
            table=rng.choice([None, None, rng.uniform(0.1, 0.5)]),
            dim=rng.uniform(0.4, 1),
            shadow=rng.choice([1, rng.uniform(0.5, 0.9)]),
            blur=rng.uniform(0.4, 1.8),
            noise=rng.uniform(1, 6),
            quality=int(rng.integers(50, 96)),
            inverted=bool(rng.random() < 0.1),
        )


@dataclass(frozen=True)
class Photo:
    """A photo and where its characters are, in reading order."""

    image: Image.Image
    centres: Floats  # (N, 2), x and y in the photo's pixels
    heights: Floats  # (N,) of the characters' longer sides


def photographed(lines: Sequence[Sequence[Ink]], height: float, paper: Paper, rng: Generator) -> Photo:
    """Lines of characters, each about ``height`` pixels high, written on ``paper`` and photographed."""
    marks, centres, heights, extent = _written(lines, height, paper, rng)
    pen, rules, sheet, map_ = _laid(marks, extent, height, paper, rng)
    reflectance = (0.95 - 0.2 * rng.random()) * (1 - rules * paper.rule) * (1 - pen * paper.pen)
    if paper.inverted:
        reflectance = 1 - 0.95 * reflectance
    reflectance = np.where(sheet > 0.5, reflectance, paper.table or 0)
    light = _light(reflectance.shape, paper, rng)
    seen = gaussian_filter(reflectance * light, paper.blur) * 255 + rng.normal(0, paper.noise, light.shape)
    buffer = BytesIO()
    Image.fromarray(seen.clip(0, 255).astype(np.uint8)).convert("RGB").save(buffer, "JPEG", quality=paper.quality)
    return Photo(Image.open(buffer), map_(centres), heights)


def _written(lines, height, paper, rng):
    """The pen's marks on a page with no margin, their centres and heights."""
    placed = []
    top = 0.0
    for line in lines:
        left = 0.0
        for ink in line:
            high = height * rng.uniform(0.75, 1.25)
            mark = _scaled(ink, high)
            y = top + height - mark.shape[0] + rng.normal(0, 0.06) * height
            placed.append((mark, left, y))
            left += mark.shape[1] + height * rng.uniform(*paper.gap)
        top += height * rng.uniform(1.5, 2.2)
    least = min(y for *_, y in placed)
    boxes = np.array([(x, y - least, x + mark.shape[1], y - least + mark.shape[0]) for mark, x, y in placed])
    width, depth = np.ceil(boxes[:, 2:].max(0)).astype(int) + 2
    page = np.zeros((depth, width))
    for mark, (x, y, _, _) in zip((mark for mark, *_ in placed), boxes, strict=True):
        row, column = round(y), round(x)
        place = page[row : row + mark.shape[0], column : column + mark.shape[1]]
        np.maximum(place, mark[: place.shape[0], : place.shape[1]], out=place)
    sizes = boxes[:, 2:] - boxes[:, :2]
    return page, (boxes[:, :2] + boxes[:, 2:]) / 2, sizes.max(1), (width, depth)


def _scaled(ink: Ink, longer: float) -> Floats:
    rows, columns = np.nonzero(ink > 24)
    cropped = ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    scale = longer / max(cropped.shape)
    size = (max(1, round(cropped.shape[1] * scale)), max(1, round(cropped.shape[0] * scale)))
    large = (
        np.asarray(
            Image.fromarray(cropped).resize(size, Image.Resampling.BICUBIC if scale > 1 else Image.Resampling.BOX),
            float,
        )
        / 255
    )
    sharpness = max(1.0, scale / 2)  # an enlarged small image has soft edges, a pen has not
    return ((large - 0.5) * sharpness + 0.5).clip(0, 1)


def _laid(marks, extent, height, paper, rng):
    """Marks, ruled lines and the sheet as the camera sees them, and a map from the page's to its pixels."""
    width, depth = extent
    margin = height * rng.uniform(0.3, 1.2, 4)  # left, top, right, bottom
    # Homography page → photo, about the middle of the marks
    turn = np.radians(paper.angle)
    cos, sin = np.cos(turn), np.sin(turn)
    middle = np.array([[1, 0, -width / 2], [0, 1, -depth / 2], [0, 0, 1]])
    rotated = np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])
    tilt = np.array(
        [[1, 0, 0], [0, 1, 0], [rng.choice([-1, 1]) * paper.perspective / width, paper.perspective / depth, 1]]
    )
    there = tilt @ rotated @ middle

    def through(matrix, points):
        ones = np.column_stack([points, np.ones(len(points))]) @ matrix.T
        return ones[:, :2] / ones[:, 2:]

    reach = margin * (1 if paper.table is None else 1.3)
    corners = np.array(
        [
            (-reach[0], -reach[1]),
            (width + reach[2], -reach[1]),
            (width + reach[2], depth + reach[3]),
            (-reach[0], depth + reach[3]),
        ]
    )
    seen = through(there, corners)
    if paper.table is None:
        inner = through(there, np.array([(0, 0), (width, 0), (width, depth), (0, depth)]))
        low, high = inner.min(0) - margin[:2], inner.max(0) + margin[2:]
    else:
        low, high = seen.min(0) - height * rng.uniform(0, 0.8, 2), seen.max(0) + height * rng.uniform(0, 0.8, 2)
    shift = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1]])
    there = shift @ there
    size = tuple(np.ceil(high - low).astype(int))
    back = np.linalg.inv(there)
    back /= back[2, 2]

    pen = (
        np.asarray(
            Image.fromarray((marks * 255).astype(np.uint8)).transform(
                size, Image.Transform.PERSPECTIVE, back.ravel()[:8], Image.Resampling.BICUBIC
            ),
            float,
        )
        / 255
    )
    columns, rows = np.meshgrid(np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5)
    page = through(back, np.column_stack([columns.ravel(), rows.ravel()]))
    x, y = page[:, 0].reshape(rows.shape), page[:, 1].reshape(rows.shape)
    rules = np.zeros(rows.shape)
    if paper.ruled != "plain":
        step = height * (rng.uniform(1.2, 1.8) if paper.ruled == "ruled" else rng.uniform(0.4, 1))
        thick = max(1.2, height * rng.uniform(0.005, 0.02))
        rules = _rule(y - height * rng.uniform(0.9, 1.2), step, thick)
        if paper.ruled == "squared":
            rules = np.maximum(rules, _rule(x - height * rng.random(), step, thick))
    sheet = np.ones(rows.shape)
    if paper.table is not None:
        sheet = ((x > -reach[0]) & (x < width + reach[2]) & (y > -reach[1]) & (y < depth + reach[3])).astype(float)
    return pen, rules, sheet, lambda points: through(there, points)


def _rule(place: Floats, step: float, thick: float) -> Floats:
    off = np.abs((place + step / 2) % step - step / 2)
    return (thick / 2 + 0.5 - off).clip(0, 1)


def _light(shape, paper, rng):
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]] / np.array(shape).reshape(2, 1, 1)
    way = rng.uniform(0, 2 * np.pi)
    slope = np.cos(way) * columns + np.sin(way) * rows
    light = paper.dim + (1 - paper.dim) * (slope - slope.min()) / np.ptp(slope)
    way = rng.uniform(0, 2 * np.pi)
    edge = np.cos(way) * (columns - rng.uniform(0.2, 0.8)) + np.sin(way) * (rows - rng.uniform(0.2, 0.8))
    return light * (paper.shadow + (1 - paper.shadow) / (1 + np.exp(-edge / rng.uniform(0.01, 0.1))))
