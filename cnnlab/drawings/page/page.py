"""The sheet of paper on a photo, cut out of its surroundings."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.ndimage import (
    binary_dilation,
    binary_fill_holes,
    distance_transform_edt,
    gaussian_filter,
    gaussian_gradient_magnitude,
    grey_closing,
    label,
    median,
)

from cnnlab.drawings.images import Mask, Pixels, rim_of

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

_Any = TypeVar("_Any", bound=np.generic)

COARSE = 200  # pixels, longer side of the thumbnail that shows a photo as a whole
STROKE = 9  # of these pixels, thickest stroke that is removed to find the sheet's edges
GRAIN = 1.0  # of these pixels, the Gaussian against the camera's noise
RIM = 3  # of these pixels, width of the sheet's edge
# The following are differences of the logarithm of light; 0.1 is about 10 %.
EDGE = 0.12  # for each pixel at the sheet's edge
DARKER = 0.35  # between the sheet and its darker surroundings
WRITTEN = 0.3  # between paper and strokes on it
BLACK = 16  # of 255: darker tones count as this one
LARGE = 0.1  # share of the photo that a sheet takes at least
SMALL = 0.01  # share of the photo that its surroundings take at least
FLAT = 2  # of 255, largest difference along the border of a picture that no camera took
MOST = 0.5  # share of such a picture that a sheet takes at least
THIN = 0.05  # share of the photo that a scanner's rim takes at most


def page_on(photo: Image.Image) -> tuple[Image.Image, tuple[int, int]]:
    """Return the sheet of paper on an upright photo, in grey, and the left and top, in pixels, where it was cut out.

    Plain, darker surroundings are cut off, and painted over in the corners that remain.
    """
    light = _without_rim(photo.convert("L"))
    small = gaussian_filter(coarse(np.asarray(light)), GRAIN)
    bare = _without_strokes(small)
    around = binary_dilation(_around(small, bare), iterations=RIM)
    if not around.any() or around.all():
        return light, (0, 0)
    nearest = distance_transform_edt(around, return_distances=False, return_indices=True)
    paper = Image.fromarray(bare[tuple(nearest)]).resize(photo.size, Image.Resampling.BILINEAR)
    light.paste(paper, mask=Image.fromarray(around).resize(photo.size))
    rows, columns = (np.flatnonzero(~around.all(axis)) for axis in (1, 0))
    scale = max(photo.size) / max(small.shape)
    left, top, right, bottom = (round(scale * side) for side in (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1))
    return light.crop((left, top, right, bottom)), (left, top)


def _without_rim(light: Image.Image) -> Image.Image:
    """Paint over a scanner's thin rim."""
    rim = rim_of(light, 1)
    if rim.any() and rim.mean() <= THIN:
        pixels = np.asarray(light)
        light.paste(int(np.median(pixels[~rim])), mask=Image.fromarray(rim))
    return light


def _around(light: Pixels, bare: Pixels) -> Mask:
    """Return the mask of all but the sheet, the lightest large region inside edges; empty if nothing lies around it."""
    written, plain = (np.log(np.maximum(pixels, BLACK).astype(np.float64)) for pixels in (light, bare))
    regions, count = label(gaussian_gradient_magnitude(plain, 1) < EDGE)
    numbers = np.arange(1, count + 1)
    shares = np.bincount(regions.ravel(), minlength=count + 1)[1:] / regions.size
    lights = median(plain, regions, numbers)
    sheet = np.where(shares >= LARGE, lights, -np.inf)
    beside = np.isin(numbers, border(regions)) & (shares >= SMALL) & (lights < sheet.max(initial=-np.inf) - DARKER)
    strokes = plain - written
    if any(np.quantile(strokes[regions == number], 0.99) < WRITTEN for number in numbers[beside]):
        filled = np.asarray(binary_fill_holes(regions == numbers[sheet.argmax()]), bool)
        if filled.mean() >= MOST or np.ptp(border(light)) > FLAT:  # else light ink on a drawn ground
            return ~filled
    return np.zeros(light.shape, bool)


def _without_strokes(light: Pixels) -> Pixels:
    """Remove dark strokes by a closing (Serra 1982) that continues beyond the border."""
    padded = np.pad(light, STROKE, mode="edge")
    closed: Pixels = grey_closing(padded, (STROKE, STROKE))[STROKE:-STROKE, STROKE:-STROKE]
    return closed


def coarse(light: Pixels, side: int = COARSE) -> Pixels:
    """Scale (H, W) down so that the longer side has at most ``side`` pixels."""
    image = Image.fromarray(light)
    image.thumbnail((side, side))
    return np.asarray(image)


def border(pixels: npt.NDArray[_Any]) -> npt.NDArray[_Any]:
    """Return the pixels along the four sides of (H, W) in a row."""
    return np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
