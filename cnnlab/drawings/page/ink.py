"""A page in grey → the ink on it: uneven light and shadow made even, light on dark turned round."""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy.ndimage import distance_transform_edt, gaussian_filter, grey_closing, maximum_filter, minimum_filter

from cnnlab.drawings.images import Pixels
from cnnlab.drawings.page.page import COARSE, Floats, border, coarse
from cnnlab.drawings.strokes import DrawingError

SIDE = 1200  # pixels, the longer side of a page that is worked on
SMOOTH = 0.8  # pixels on that side, of a Gaussian against the camera's noise
WIDTHS = (3, 5, 9, 17, 33, 65)  # of COARSE pixels, of gaps that are closed
FINENESS = 2.75  # the power of its width by which a gap counts less
WINDOW = (0.05, 0.25)  # of the longer side: the paper's light is looked for so far around
STROKES = 5  # and so many strokes' thickness
DARKEST = 40  # paper in the deepest shade, of 255
NOISE = 4.0  # standard deviations of the camera's noise that are no ink
FAINT = 0.02  # of the paper's light: so little is no ink
LEAST = 0.12  # of the paper's light, taken by ink that can be told from paper
THRESHOLD = 0.4  # of the pen's own darkness
WEAK = 0.6  # of the threshold: ink if it touches ink


def ink_on(page: Image.Image) -> Floats:
    """A page in grey → how much of the paper's light is missing at each pixel, 0…1: (H, W), SIDE at the most.

    Light on dark is taken as dark on light, by which of the two is thinner.
    """
    light = coarse(np.asarray(page), SIDE)
    light = gaussian_filter(light, SMOOTH * max(light.shape) / SIDE)
    if _is_light_on_dark(light):
        light = 255 - light
    least, most = WINDOW
    return _missing(light, min(most, max(least, STROKES * _thickness(light))))


def levels(ink: Floats) -> tuple[float, float]:
    """The ink above which a pixel belongs to the pen's strokes, and the strokes' own; by Otsu (1979).

    Raises DrawingError where there is nothing as dark as a pen.
    """
    dark = ink[ink > FAINT]
    level = float(dark[dark >= _otsu(dark)].mean()) if len(dark) else 0.0
    if level < LEAST:
        raise DrawingError("nothing is written there: a dark pen on light paper is found best")
    return THRESHOLD * level, level


def _missing(light: Pixels, window: float) -> Floats:
    """Share of the paper's light that is missing; the paper's is the lightest in a closing by ``window``."""
    size = 1 + 2 * round(window * max(light.shape) / 2)
    padded = np.pad(light, size, mode="edge")
    paper = minimum_filter(maximum_filter(padded, size), size)[size:-size, size:-size]
    gap = paper.astype(np.float64) - light
    gap -= np.quantile(gap, 0.25)  # the closing takes the noise's lightest for the paper
    grain = light - gaussian_filter(light.astype(np.float64), 2)
    noise = 1.4826 * float(np.median(np.abs(grain)))
    missing: Floats = np.where(gap > NOISE * noise, gap, 0) / np.maximum(paper, DARKEST)
    return missing


def _is_light_on_dark(light: Pixels) -> bool:
    """Whether what is light is thinner than what is dark."""
    small = coarse(light)
    framed = np.pad(small, COARSE // 5, constant_values=int(np.median(border(small))))
    return _thinness(255 - framed) > _thinness(framed)


def _thinness(light: Pixels) -> float:
    """How much there is of dark things, the thinner the more: a sum over the pattern spectrum (Maragos 1989)."""
    widths = np.array([width for width in WIDTHS if width < max(light.shape)])
    closed = [(grey_closing(light, size=(width, width)) - light).astype(np.float64) for width in widths]
    masses = np.array([(gap**2).sum() for gap in closed])
    return float((masses * np.diff(widths, prepend=1) / widths**FINENESS).sum())


def _thickness(light: Pixels) -> float:
    """Of the strokes, as a share of the longer side."""
    ink = _missing(coarse(light, 2 * COARSE), WINDOW[1])
    dark = ink[ink > FAINT]
    if not len(dark):
        return 0.0
    mask = ink >= _otsu(dark)
    # In a stroke of thickness t the mean distance to its border is t / 4.
    depths = distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1][mask]
    return float(4 * depths.mean() / max(ink.shape))


def _otsu(values: Floats) -> float:
    """The threshold that parts values into two classes of the largest variance between them."""
    counts, edges = np.histogram(values, 128)
    middles = (edges[1:] + edges[:-1]) / 2
    below = np.cumsum(counts)[:-1]
    above = len(values) - below
    sums = np.cumsum(counts * middles)
    between = below * above * (sums[:-1] / np.maximum(below, 1) - (sums[-1] - sums[:-1]) / np.maximum(above, 1)) ** 2
    return float(edges[1 + between.argmax()])
