"""Photos of paper with handwriting on it, made of drawn characters: uneven light, a pen, lines, a hand-held camera."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import numpy.typing as npt
from numpy.random import Generator
from PIL import Image
from scipy.ndimage import gaussian_filter, map_coordinates

from cnnlab.data.splits import Split
from cnnlab.drawings.preprocess import FAINT, Ink

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Paper:
    """How the paper lies before the camera, and what the camera makes of it."""

    ruled: str = "plain"  # or ruled, squared
    rule: float = 0.2  # darkness of its lines
    pen: float = 0.7  # darkness of the pen's strokes
    angle: float = 0.0  # degrees, anticlockwise
    table: float | None = None  # lightness of what the paper lies on, None where all is paper
    dim: float = 0.8  # light in the darkest corner
    shadow: float = 1.0  # light in a shadow, 1 where there is none
    blur: float = 0.8  # pixels
    noise: float = 3.0  # of 255
    quality: int = 80  # JPEG
    is_chalk: bool = False  # light on dark

    @classmethod
    def at_random(cls, rng: Generator, steepest: float = 15) -> Paper:
        """As people take photos."""
        return cls(
            ruled=str(rng.choice(["plain", "plain", "ruled", "squared"])),
            rule=rng.uniform(0.05, 0.4),
            pen=rng.uniform(0.45, 0.9),
            angle=rng.uniform(-steepest, steepest),
            table=rng.uniform(0.1, 0.45) if rng.random() < 0.3 else None,
            dim=rng.uniform(0.4, 1),
            shadow=rng.uniform(0.5, 0.9) if rng.random() < 0.5 else 1.0,
            blur=rng.uniform(0.4, 1.8),
            noise=rng.uniform(1, 6),
            quality=int(rng.integers(50, 96)),
            is_chalk=bool(rng.random() < 0.1),
        )


@dataclass(frozen=True)
class Photo:
    """A photo and where its characters are, in reading order."""

    image: Image.Image
    centres: Floats  # (N, 2), x and y in the photo's pixels
    heights: Floats  # (N,) of the characters' longer sides

    @property
    def jpeg(self) -> bytes:
        buffer = BytesIO()
        self.image.save(buffer, "JPEG", quality=95)
        return buffer.getvalue()

    def order(self, boxes: Sequence[Floats]) -> list[int | None]:
        """Which character each box (4, 2) lies on; None where it is none of them."""
        return [self._nearest(box.mean(0)) for box in boxes]

    def _nearest(self, place: Floats) -> int | None:
        distances = np.hypot(*(self.centres - place).T) / self.heights
        return int(distances.argmin()) if distances.min() < 0.35 else None


def of_classes(split: Split, classes: Sequence[int], number: int = 0) -> list[Ink]:
    """The ``number``-th image of each of the classes."""
    return [split.images[split.labels == label][number, 0].numpy() for label in classes]


@dataclass(frozen=True)
class _Camera:
    """Held over the middle of the marks, turned by degrees clockwise."""

    angle: float
    middle: Floats  # x and y of the page
    size: Floats  # width and height of the photo
    shift: Floats  # of the page's middle from the photo's

    @classmethod
    def over(cls, extent: tuple[int, ...], height: float, paper: Paper, rng: Generator) -> _Camera:
        """Room around the marks, and around the paper where one sees the table."""
        room = height * (rng.uniform(0.3, 1.2, (2, 2)) if paper.table is None else rng.uniform(0.8, 1.6, (2, 2)))
        flat = cls(paper.angle, np.array(extent) / 2, np.zeros(2), np.zeros(2))
        corners = flat.photographed(np.array([(0, 0), (extent[0], 0), extent, (0, extent[1])], np.float64))
        size = np.ceil(2 * corners.max(0) + room.sum(0))
        return cls(paper.angle, flat.middle, size, (room[0] - room[1]) / 2)

    def photographed(self, points: Floats) -> Floats:
        """Places (N, 2) on the page → in the photo."""
        return (points - self.middle) @ self._turn().T + self.size / 2 + self.shift

    def seen(self) -> tuple[Floats, Floats]:
        """Where on the page each pixel of the photo looks, x and y."""
        width, height = self.size.astype(int)
        pixels = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1) - self.size / 2 - self.shift
        places = pixels @ self._turn() + self.middle
        return places[..., 0], places[..., 1]

    def _turn(self) -> Floats:
        cos, sin = np.cos(np.radians(self.angle)), np.sin(np.radians(self.angle))
        return np.array([(cos, sin), (-sin, cos)])


def photographed(lines: Sequence[Sequence[Ink]], height: float, paper: Paper, rng: Generator) -> Photo:
    """Lines of characters, each about ``height`` pixels high, written on ``paper`` and photographed."""
    marks, boxes = _written(lines, height, rng)
    camera = _Camera.over(marks.shape[::-1], height, paper, rng)
    x, y = camera.seen()
    pen = map_coordinates(marks / 255, (y, x), order=1)
    lightness = 0.95 - 0.2 * rng.random()
    reflected = lightness * (1 - paper.rule * _rules(x, y, height, paper.ruled, rng)) * (1 - paper.pen * pen)
    if paper.is_chalk:
        reflected = 1 - 0.95 * reflected
    if paper.table is not None:
        margin = 0.7 * height
        is_page = (x > -margin) & (x < marks.shape[1] + margin) & (y > -margin) & (y < marks.shape[0] + margin)
        reflected = np.where(is_page, reflected, paper.table)
    seen = 255 * gaussian_filter(reflected * _light(x.shape, paper, rng), paper.blur)
    seen += rng.normal(0, paper.noise, x.shape)
    buffer = BytesIO()
    image = Image.fromarray(seen.clip(0, 255).astype(np.uint8)).convert("RGB")
    image.save(buffer, "JPEG", quality=paper.quality)
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    return Photo(Image.open(buffer), camera.photographed(centres), (boxes[:, 2:] - boxes[:, :2]).max(1))


def _written(lines: Sequence[Sequence[Ink]], height: float, rng: Generator) -> tuple[Ink, Floats]:
    """The pen's marks on a page without margin, and their boxes (N, 4): left, top, right, bottom."""
    placed: list[tuple[Ink, float, float]] = []  # left and top
    foot = height
    for line in lines:
        left = 0.0
        for ink in line:
            mark = _scaled(ink, height * rng.uniform(0.75, 1.25))
            placed.append((mark, left, foot - mark.shape[0] + rng.normal(0, 0.06) * height))
            left += mark.shape[1] + height * rng.uniform(0.15, 0.7)
        foot += height * rng.uniform(1.5, 2.2)
    least = min(top for *_, top in placed)
    boxes = np.array([(x, y - least, x + mark.shape[1], y - least + mark.shape[0]) for mark, x, y in placed])
    width, depth = np.ceil(boxes[:, 2:].max(0)).astype(int) + 2
    page = np.zeros((depth, width), np.uint8)
    for (mark, *_), (left, top, *_) in zip(placed, boxes.round().astype(int), strict=True):
        place = page[top : top + mark.shape[0], left : left + mark.shape[1]]
        np.maximum(place, mark, out=place)
    return page, boxes


def _scaled(ink: Ink, longer: float) -> Ink:
    """Cut to what is drawn and scaled, as sharp as a pen is, not as an enlarged image."""
    rows, columns = np.nonzero(ink > FAINT)
    cropped = ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    scale = longer / max(cropped.shape)
    size = (max(1, round(cropped.shape[1] * scale)), max(1, round(cropped.shape[0] * scale)))
    resampling = Image.Resampling.BICUBIC if scale > 1 else Image.Resampling.BOX
    large = np.asarray(Image.fromarray(cropped).resize(size, resampling), np.float64) / 255
    sharp = (large - 0.5) * max(1.0, scale / 2) + 0.5
    return np.asarray(255 * sharp.clip(0, 1), np.uint8)


def _rules(x: Floats, y: Floats, height: float, ruled: str, rng: Generator) -> Floats:
    """How much of a rule is at each place of the page, 0…1."""
    if ruled == "plain":
        return np.zeros_like(x)
    step = height * (rng.uniform(1.2, 1.8) if ruled == "ruled" else rng.uniform(0.4, 1))
    thick = max(1.2, height * rng.uniform(0.005, 0.02))
    off = [np.abs((place - step * rng.random()) % step - step / 2) for place in ((y,) if ruled == "ruled" else (y, x))]
    return np.asarray(thick / 2 + 0.5 - np.minimum.reduce(off), np.float64).clip(0, 1)


def _light(shape: tuple[int, ...], paper: Paper, rng: Generator) -> Floats:
    """Darker to one side, and a shadow with a soft edge."""
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]] / np.array(shape).reshape(2, 1, 1)
    way = rng.uniform(0, 2 * np.pi)
    slope = np.cos(way) * columns + np.sin(way) * rows
    light = paper.dim + (1 - paper.dim) * (slope - slope.min()) / np.ptp(slope)
    way = rng.uniform(0, 2 * np.pi)
    inside = np.cos(way) * (columns - rng.uniform(0.2, 0.8)) + np.sin(way) * (rows - rng.uniform(0.2, 0.8))
    edge = np.exp(-inside / rng.uniform(0.01, 0.1))
    return np.asarray(light * (paper.shadow + (1 - paper.shadow) / (1 + edge)), np.float64)
