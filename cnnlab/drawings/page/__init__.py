"""Photos of paper, and the handwritten characters on them in reading order."""

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
PEN = 0.75  # quantile of a character's darkness that is taken for its pen's
GROWN = 2  # pixels around a character that belong to its soft edges
UPRIGHT = 1.0  # degrees: a page turned by less is left as it is


@dataclass(frozen=True)
class Character:
    """Hold one handwritten character."""

    ink: Ink  # without that of its neighbours, straightened with the page
    box: Floats  # (4, 2): the corners around it, x and y in the photo's pixels, clockwise from its top left
    line: int  # of the page, from 0


@dataclass(frozen=True)
class Sheet:
    """Hold a straightened page of handwriting."""

    size: tuple[int, int]  # width and height of the photo
    ink: Ink
    angle: float  # degrees that the page was turned by, anticlockwise
    characters: tuple[Character, ...]  # in reading order, MAX_CHARACTERS at the most
    found: int  # number of characters, including those beyond MAX_CHARACTERS


def find_characters(photo: Image.Image) -> Sheet:
    """Find the characters on an upright photo of paper, line by line from the top, each from left to right.

    The paper's light is made even and ruled lines are removed. The page is straightened by these or by the lines of
    characters, and strokes of one character are joined. Raises DrawingError if there is no character.
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
    to_photo = _ToPhoto(ink.shape, flat.shape, angle, max(page.size) / max(flat.shape), corner)
    characters = (
        Character(_own_ink(ink, parts, boxes[i], members[i]), to_photo.corners(boxes[i]), int(lines[i]))
        for i in order[:MAX_CHARACTERS]
    )
    return Sheet(photo.size, _black(ink, levels(ink)[1]), angle, tuple(characters), len(order))


@dataclass(frozen=True)
class _ToPhoto:
    """Map the straightened page back to the photo."""

    turned: tuple[int, ...]  # (H, W) of the straightened page
    flat: tuple[int, ...]  # (H, W) before
    angle: float
    scale: float  # pixels of the photo for one of the page
    corner: tuple[int, int]  # left and top of the page in the photo

    def corners(self, box: Indices) -> Floats:
        """Return the corners (4, 2) in the photo of a box on the straightened page."""
        top, left, bottom, right = box
        points = np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float64)
        points -= np.array(self.turned[::-1]) / 2
        cos, sin = np.cos(np.radians(self.angle)), np.sin(np.radians(self.angle))
        points = points @ np.array([(cos, sin), (-sin, cos)]) + np.array(self.flat[::-1]) / 2
        corners: Floats = points * self.scale + np.array(self.corner)
        return corners


def _own_ink(ink: Floats, parts: Parts, box: Indices, numbers: Indices) -> Ink:
    """Cut a character out of the page, scaled as if its pen were black."""
    top, left = (box[:2] - GROWN).clip(0)
    bottom, right = np.minimum(box[2:] + GROWN, ink.shape)
    labels, own = parts.labels[top:bottom, left:right], ink[top:bottom, left:right]
    core = np.isin(labels, numbers)
    own = own * (binary_dilation(core, TOUCHING, GROWN) & (core | (labels == 0)))
    return _black(own, float(np.quantile(own[core], PEN)))


def _black(ink: Floats, pen: float) -> Ink:
    """Scale ink so that the pen's becomes 255."""
    return (ink / pen * 255).clip(0, 255).round().astype(np.uint8)


def _turned(ink: Floats, angle: float) -> Floats:
    if not angle:
        return ink
    image = Image.fromarray(ink.astype(np.float32)).rotate(angle, Image.Resampling.BICUBIC, expand=True)
    return np.asarray(image, np.float64).clip(0)
