"""Connected parts of ink: which are writing, and which belong to one character."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_erosion, find_objects, gaussian_gradient_magnitude, label
from scipy.spatial import cKDTree

from cnnlab.drawings.images import Mask
from cnnlab.drawings.page.ink import WEAK, levels
from cnnlab.drawings.page.page import Floats, Indices
from cnnlab.drawings.strokes import DrawingError

TOUCHING = np.ones((3, 3), bool)  # 8-connectivity
MAX_PARTS = 1000
SPECK = 3  # pixels: smaller parts are dirt
# The following are shares of the usual character's height.
DIRT = 0.1  # longer side of a part: smaller ones are dirt
LEAST = 0.35  # longer side of a character
CUT = 1.6  # longer side of a part at the photo's border that is rather the paper's edge
STACKED = 0.25  # vertical gap between two parts of a character
TALL = 1.5  # height of both together
BESIDE = 0.25  # horizontal gap between two parts if one has no height; less for a higher one
WIDE = 1.2  # width of both together
OVERLAP = 0.4  # share of the narrower part's width: more makes two parts stacked
BLURRED = 0.3  # share of the sharpest edge: less is a shadow


@dataclass(frozen=True)
class Parts:
    """Hold connected parts of ink."""

    labels: Indices  # (H, W), each pixel's part, 0 for none
    numbers: Indices  # (N,) of those that may be writing
    boxes: Indices  # (N, 4), top, left, bottom, right

    def those(self, chosen: Mask) -> Parts:
        """Select parts by a mask (N,). Raises DrawingError if it is empty."""
        if not chosen.any():
            raise DrawingError("no character found: take the photo from closer, in even light")
        return Parts(self.labels, self.numbers[chosen], self.boxes[chosen])


def parts_on(ink: Floats) -> Parts:
    """Find the parts of ink (H, W) that may be writing. Raises DrawingError if there are none or too many."""
    threshold, _ = levels(ink)
    labels, count = label(ink > WEAK * threshold, TOUCHING)
    has_core = np.bincount(labels[ink > threshold], minlength=count + 1)[1:] > 0
    boxes = np.array([[rows.start, columns.start, rows.stop, columns.stop] for rows, columns in find_objects(labels)])
    parts = Parts(labels, np.arange(1, count + 1), boxes)
    parts = parts.those(has_core & (_longer(boxes) >= SPECK))
    parts = parts.those(~_is_cut(parts))
    parts = parts.those(_longer(parts.boxes) > DIRT * usual_side(parts.boxes))
    sharpness = _sharpness(ink, parts)
    parts = parts.those(sharpness > BLURRED * sharpness.max())
    if len(parts.numbers) > MAX_PARTS:
        raise DrawingError("the paper is too rough or too dark to see the writing: take the photo in better light")
    return parts


def _is_cut(parts: Parts) -> Mask:
    """Mark long parts that touch the border, such as the paper's edge or a shadow: (N,)."""
    height, width = parts.labels.shape
    at_border = (parts.boxes[:, :2] <= 1).any(1) | (parts.boxes[:, 2:] >= (height - 1, width - 1)).any(1)
    if at_border.all():
        return np.zeros_like(at_border)
    return at_border & (_longer(parts.boxes) > CUT * usual_side(parts.boxes[~at_border]))


def _sharpness(ink: Floats, parts: Parts) -> Floats:
    """Return the mean steepness of each part's edge: (N,)."""
    steepness = gaussian_gradient_magnitude(ink, 1)
    edge = (parts.labels > 0) & ~binary_erosion(parts.labels > 0)
    numbers, count = parts.labels[edge], int(parts.labels.max()) + 1
    means = np.bincount(numbers, steepness[edge], count) / np.maximum(np.bincount(numbers, minlength=count), 1)
    steepnesses: Floats = means[parts.numbers]
    return steepnesses


def _longer(boxes: Indices) -> Indices:
    """Return each box's longer side: (N,)."""
    sides: Indices = (boxes[:, 2:] - boxes[:, :2]).max(1)
    return sides


def usual_side(boxes: Indices) -> float:
    """Return the usual character's height: the median of the boxes' longer sides, weighted by their squares."""
    sides = np.sort(_longer(boxes))
    mass = np.cumsum(sides**2)
    return float(sides[np.searchsorted(mass, mass[-1] / 2)])


def joined(parts: Parts) -> tuple[Indices, list[Indices]]:
    """Join parts to characters. Returns these boxes (M, 4) and the numbers of each one's parts."""
    usual = usual_side(parts.boxes)
    groups = [[part] for part in range(len(parts.boxes))]  # by part
    for gap, one, other in sorted(_gaps(parts, STACKED * usual)):
        if groups[one] is groups[other]:
            continue
        if _belong(_hull(parts.boxes[groups[one]]), _hull(parts.boxes[groups[other]]), gap, usual):
            both = groups[one] + groups[other]
            for part in both:
                groups[part] = both
    whole = list({id(group): group for group in groups}.values())
    boxes = np.array([_hull(parts.boxes[group]) for group in whole])
    large = _longer(boxes) > LEAST * usual_side(boxes)
    return boxes[large], [parts.numbers[group] for group, is_large in zip(whole, large, strict=True) if is_large]


def _gaps(parts: Parts, reach: float) -> Iterator[tuple[float, int, int]]:
    """Yield the gap in pixels and the indices of every two parts that are at most ``reach`` apart."""
    edges = np.where(binary_erosion(parts.labels > 0, TOUCHING), 0, parts.labels)
    pixels = [
        np.argwhere(edges[top:bottom, left:right] == number) + np.array((top, left))
        for number, (top, left, bottom, right) in zip(parts.numbers, parts.boxes, strict=True)
    ]
    trees = [cKDTree(points) for points in pixels]
    for one, box in enumerate(parts.boxes):
        near = (parts.boxes[:, :2] < box[2:] + reach).all(1) & (parts.boxes[:, 2:] > box[:2] - reach).all(1)
        for other in np.flatnonzero(near[:one]):
            few, many = sorted((one, int(other)), key=lambda part: len(pixels[part]))
            gap = float(trees[many].query(pixels[few], distance_upper_bound=reach)[0].min()) - 1
            if np.isfinite(gap):
                yield gap, one, int(other)


def _hull(boxes: Indices) -> Indices:
    return np.concatenate([boxes[:, :2].min(0), boxes[:, 2:].max(0)])


def _belong(one: Indices, other: Indices, gap: float, usual: float) -> bool:
    """Tell whether two boxes ``gap`` pixels apart hold parts of one character."""
    sizes = np.stack([one[2:] - one[:2], other[2:] - other[:2]]) / usual
    height, width = (np.maximum(one[2:], other[2:]) - np.minimum(one[:2], other[:2])) / usual
    overlap = float(min(one[3], other[3]) - max(one[1], other[1])) / usual
    if overlap >= OVERLAP * sizes[:, 1].min():
        return bool(gap <= STACKED * usual and height <= TALL)
    return bool(gap <= BESIDE * (1 - sizes[:, 0].min()) * usual and width <= WIDE)
