"""From a photo of paper to the handwritten characters on it, in reading order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy.ndimage import binary_dilation

from cnnlab.drawings.page.ink import ink_on, levels
from cnnlab.drawings.page.lines import lines_of
from cnnlab.drawings.page.page import Floats, Indices, page_on
from cnnlab.drawings.page.parts import TOUCHING, Parts, joined, parts_on
from cnnlab.drawings.page.rules import without_rules
from cnnlab.drawings.preprocess import Ink

MAX_CHARACTERS = 60
PEN = 0.75  # quantile of a character's darkness that is as dark as its pen
GROWN = 2  # pixels around a character that keep its soft edges
UPRIGHT = 1.0  # degrees, less is not worth turning the page


@dataclass(frozen=True)
class Character:
    """One handwritten character."""

    ink: Ink  # its own alone, straightened with the page
    box: Floats  # (4, 2): the corners around it, x and y in the photo's pixels, clockwise from its top left
    line: int  # of the page, from 0


@dataclass(frozen=True)
class Sheet:
    """A page of handwriting, straightened."""

    size: tuple[int, int]  # width and height of the photo
    ink: Ink
    angle: float  # degrees that the page was turned by, anticlockwise
    characters: tuple[Character, ...]  # in reading order, MAX_CHARACTERS at the most
    found: int  # characters, also those beyond


def find_characters(photo: Image.Image) -> Sheet:
    """An upright photo of paper → its characters, lines from top to bottom, each from left to right.

    The paper's light is made even, ruled lines go, the page is straightened by them or by how the characters stand
    in lines, and strokes that belong together are joined. Raises DrawingError where there is no character.
    """
    page, corner = page_on(photo)
    flat, rise = without_rules(ink_on(page))
    if rise is None:
        rise, _ = lines_of(parts_on(flat).boxes)
    angle = -rise if abs(rise) >= UPRIGHT else 0.0
    ink = _turned(flat, angle)
    parts = parts_on(ink)
    boxes, members = joined(parts)
    _, lines = lines_of(boxes)
    order = np.lexsort((boxes[:, 1] + boxes[:, 3], lines))
    there = _Way(ink.shape, flat.shape, angle, max(page.size) / max(flat.shape), corner)
    characters = (
        Character(_own_ink(ink, parts, boxes[i], members[i]), there.corners(boxes[i]), int(lines[i]))
        for i in order[:MAX_CHARACTERS]
    )
    return Sheet(photo.size, _black(ink, levels(ink)[1]), angle, tuple(characters), len(order))


@dataclass(frozen=True)
class _Way:
    """From the straightened page back to the photo."""

    turned: tuple[int, ...]  # (H, W) of the straightened page
    flat: tuple[int, ...]  # (H, W) before
    angle: float
    scale: float  # pixels of the photo, each
    corner: tuple[int, int]  # left and top of the page in the photo

    def corners(self, box: Indices) -> Floats:
        """(4, 2), of a box on the straightened page."""
        top, left, bottom, right = box
        points = np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float64)
        points -= np.array(self.turned[::-1]) / 2
        cos, sin = np.cos(np.radians(self.angle)), np.sin(np.radians(self.angle))
        points = points @ np.array([(cos, sin), (-sin, cos)]) + np.array(self.flat[::-1]) / 2
        corners: Floats = points * self.scale + np.array(self.corner)
        return corners


def _own_ink(ink: Floats, parts: Parts, box: Indices, numbers: Indices) -> Ink:
    """Cut out of the page, as dark as if its pen were black."""
    top, left = (box[:2] - GROWN).clip(0)
    bottom, right = np.minimum(box[2:] + GROWN, ink.shape)
    labels, own = parts.labels[top:bottom, left:right], ink[top:bottom, left:right]
    core = np.isin(labels, numbers)
    own = own * (binary_dilation(core, TOUCHING, GROWN) & (core | (labels == 0)))
    return _black(own, float(np.quantile(own[core], PEN)))


def _black(ink: Floats, pen: float) -> Ink:
    """Scaled so that the pen's ink becomes 255."""
    return (ink / pen * 255).clip(0, 255).round().astype(np.uint8)


def _turned(ink: Floats, angle: float) -> Floats:
    if not angle:
        return ink
    image = Image.fromarray(ink.astype(np.float32)).rotate(angle, Image.Resampling.BICUBIC, expand=True)
    return np.asarray(image, np.float64).clip(0)
