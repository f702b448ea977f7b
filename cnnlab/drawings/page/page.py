"""The sheet of paper on a photo, cut out of what it lies on."""

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

COARSE = 200  # pixels, the longer side on which a photo is judged as a whole
STROKE = 9  # of them, the thickest stroke that is taken off to see the sheet's edges
GRAIN = 1.0  # of them, of a Gaussian against the camera's noise
RIM = 3  # of them, that the sheet's edge takes
# The following are steps of the logarithm of light; 0.1 is 10 %.
EDGE = 0.12  # a pixel, at the sheet's edge
DARKER = 0.35  # than the sheet, of what it lies on
WRITTEN = 0.3  # strokes so dark are on paper
BLACK = 16  # of 255, what is darker is as dark
LARGE = 0.1  # of the photo, the smallest sheet
SMALL = 0.01  # of the photo, too little to be what the sheet lies on
FLAT = 2  # of 255, by which tones differ along the border of what no camera took
MOST = 0.5  # of such a picture, the smallest sheet
THIN = 0.05  # of the photo, the most that a scanner's rim takes


def page_on(photo: Image.Image) -> tuple[Image.Image, tuple[int, int]]:
    """An upright photo → its sheet of paper in grey, and the left and top at which it was cut out.

    Where the sheet lies on something plain and darker, that is cut off, and painted over in the corners that are left.
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
    """A scanner's thin rim painted over."""
    rim = rim_of(light, 1)
    if rim.any() and rim.mean() <= THIN:
        pixels = np.asarray(light)
        light.paste(int(np.median(pixels[~rim])), mask=Image.fromarray(rim))
    return light


def _around(light: Pixels, bare: Pixels) -> Mask:
    """All but the sheet, the lightest large region within edges; nothing where no table lies beside it."""
    written, plain = (np.log(np.maximum(pixels, BLACK).astype(np.float64)) for pixels in (light, bare))
    regions, count = label(gaussian_gradient_magnitude(plain, 1) < EDGE)
    numbers = np.arange(1, count + 1)
    shares = np.bincount(regions.ravel(), minlength=count + 1)[1:] / regions.size
    lights = median(plain, regions, numbers)
    sheet = np.where(shares >= LARGE, lights, -np.inf)
    beside = np.isin(numbers, border(regions)) & (shares >= SMALL) & (lights < sheet.max(initial=-np.inf) - DARKER)
    strokes = plain - written
    if any(np.quantile(strokes[regions == number], 0.99) < WRITTEN for number in numbers[beside]):
        found = np.asarray(binary_fill_holes(regions == numbers[sheet.argmax()]), bool)
        if found.mean() >= MOST or np.ptp(border(light)) > FLAT:  # else light ink on a drawn ground
            return ~found
    return np.zeros(light.shape, bool)


def _without_strokes(light: Pixels) -> Pixels:
    """By a closing (Serra 1982) that goes on beyond the border."""
    padded = np.pad(light, STROKE, mode="edge")
    closed: Pixels = grey_closing(padded, (STROKE, STROKE))[STROKE:-STROKE, STROKE:-STROKE]
    return closed


def coarse(light: Pixels, side: int = COARSE) -> Pixels:
    """Scaled so that the longer side is ``side`` pixels."""
    image = Image.fromarray(light)
    image.thumbnail((side, side))
    return np.asarray(image)


def border(pixels: npt.NDArray[_Any]) -> npt.NDArray[_Any]:
    """Those along the four sides, in a row."""
    return np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
