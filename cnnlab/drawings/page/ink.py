"""The ink on a grey page, with uneven light and shadow removed and light on dark inverted."""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy.ndimage import distance_transform_edt, gaussian_filter, grey_closing, maximum_filter, minimum_filter

from cnnlab.drawings.images import Pixels
from cnnlab.drawings.page.page import COARSE, Floats, border, coarse
from cnnlab.drawings.strokes import DrawingError

SIDE = 1200  # pixels, longer side that a page is scaled to
SMOOTH = 0.8  # pixels of such a page: the Gaussian against the camera's noise
WIDTHS = (3, 5, 9, 17, 33, 65)  # COARSE pixels: of the closings of a pattern spectrum
FINENESS = 2.75  # power of its width by which a gap is weighted down
WINDOW = (0.05, 0.25)  # shares of the longer side: narrowest and widest search for the paper's light
STROKES = 5  # times the strokes' thickness: the width of that search between both
DARKEST = 40  # paper in the deepest shade, of 255
NOISE = 4.0  # standard deviations of the camera's noise: less is no ink
FAINT = 0.02  # share of the paper's light: less is no ink
LEAST = 0.12  # share of the paper's light that a pen takes at least
THRESHOLD = 0.4  # share of the pen's darkness
WEAK = 0.6  # share of the threshold: it is ink if it touches ink


def ink_on(page: Image.Image) -> Floats:
    """Return the share of the paper's light, 0…1, that is missing at each pixel of a grey page: (H, W), SIDE at most.

    The page is inverted first if what is light on it is thinner than what is dark.
    """
    light = coarse(np.asarray(page), SIDE)
    light = gaussian_filter(light, SMOOTH * max(light.shape) / SIDE)
    if _is_light_on_dark(light):
        light = 255 - light
    least, most = WINDOW
    return _missing(light, min(most, max(least, STROKES * _thickness(light))))


def levels(ink: Floats) -> tuple[float, float]:
    """Return the threshold of ink in strokes and the strokes' mean ink, by Otsu (1979).

    Raises DrawingError if nothing is as dark as a pen.
    """
    dark = ink[ink > FAINT]
    level = float(dark[dark >= _otsu(dark)].mean()) if len(dark) else 0.0
    if level < LEAST:
        raise DrawingError("no writing found: use a dark pen on light paper")
    return THRESHOLD * level, level


def _missing(light: Pixels, window: float) -> Floats:
    """Return the missing share of the paper's light, which a closing by ``window``, a share of the side, estimates."""
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
    """Tell whether what is light is thinner than what is dark."""
    small = coarse(light)
    framed = np.pad(small, COARSE // 5, constant_values=int(np.median(border(small))))
    return _thinness(255 - framed) > _thinness(framed)


def _thinness(light: Pixels) -> float:
    """Weigh the dark things, thinner ones more, by a sum over the pattern spectrum (Maragos 1989)."""
    widths = np.array([width for width in WIDTHS if width < max(light.shape)])
    closed = [(grey_closing(light, size=(width, width)) - light).astype(np.float64) for width in widths]
    masses = np.array([(gap**2).sum() for gap in closed])
    return float((masses * np.diff(widths, prepend=1) / widths**FINENESS).sum())


def _thickness(light: Pixels) -> float:
    """Estimate the strokes' thickness as a share of the longer side."""
    ink = _missing(coarse(light, 2 * COARSE), WINDOW[1])
    dark = ink[ink > FAINT]
    if not len(dark):
        return 0.0
    mask = ink >= _otsu(dark)
    # In a stroke of thickness t the mean distance to its border is t / 4.
    depths = distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1][mask]
    return float(4 * depths.mean() / max(ink.shape))


def _otsu(values: Floats) -> float:
    """Return the threshold that splits values into two classes with the largest variance between them."""
    counts, edges = np.histogram(values, 128)
    middles = (edges[1:] + edges[:-1]) / 2
    below = np.cumsum(counts)[:-1]
    above = len(values) - below
    sums = np.cumsum(counts * middles)
    between = below * above * (sums[:-1] / np.maximum(below, 1) - (sums[-1] - sums[:-1]) / np.maximum(above, 1)) ** 2
    return float(edges[1 + between.argmax()])
