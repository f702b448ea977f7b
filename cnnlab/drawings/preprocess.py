"""Preparation of drawings, photos and pen strokes as images that look like the training data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageDraw
from scipy.ndimage import distance_transform_edt, maximum_filter
from torch import Tensor

from cnnlab.drawings.images import on_dark
from cnnlab.drawings.strokes import CANVAS, DRAWN_HEIGHT, USUAL_PEN, Drawing, DrawingError
from cnnlab.networks.layers import Shape

Ink = npt.NDArray[np.uint8]  # (H, W), 0 is background, 255 full ink
Distances = npt.NDArray[np.float64]  # (H, W)
Window = tuple[slice, slice]  # rows and columns

BOX = 20 / 28  # MNIST's ink is scaled into 20×20 of the 28×28 pixels
FAINT = 24  # ink up to this counts as background when the drawing is cropped
FINE = 8  # fine pixels for one of MNIST's: thickness is measured on them
HALF = 127  # ink above this is ink, not the edge of a stroke
SHARP = 2  # times the box: drawings at least so large get an even thickness
THICKNESS = 2.4  # MNIST's pixels: the mean of its strokes, measured likewise
BLOT = 6.5  # MNIST's pixels: no pen is so thick
THINNEST = 2  # pixels of the canvas: a thinner stroke would vanish when scaled down
RIM_CUT = "The border of the picture was cut off."
INVERTED = "The picture was inverted: this network learned from light objects on a dark background."


@dataclass(frozen=True)
class Preparation:
    """Hold the steps of a drawing's preparation and their settings, so that a part of it can be prepared alike."""

    cropped: Ink  # to the drawing's extent
    evened: Ink  # with strokes as thick as the training data's
    image: Tensor  # (1, 1, H, W) uint8: scaled, with the centre of mass in the middle
    thickness: float  # of the original strokes, in pixels of MNIST's 28
    crop: Window  # of the drawing
    moved: float | None  # outward shift of the ink's border in fine pixels; None if it was not moved
    trim: Window  # of the cropped ink after its border was moved
    corner: tuple[int, int]  # top and left of the scaled ink in the image

    @property
    def suspicion(self) -> str:
        """Explain why any prediction is doubtful; empty if there is no reason."""
        return "more a blot than strokes" if self.thickness > BLOT else ""

    def of_part(self, ink: Ink) -> Tensor:
        """Prepare a part of the drawing, ink (H, W), with the same place, size and thickness as in the whole."""
        size = (self.image.shape[2], self.image.shape[3])
        cropped = ink[self.crop]
        even = cropped if self.moved is None else _inside(_border_distance(cropped), self.moved)
        return _placed(_fitted(even[self.trim], BOX * min(size)), self.corner, size)


@dataclass(frozen=True)
class NetworkInput:
    """Hold a picture as a network takes it, and sentences on what else was changed."""

    image: Tensor  # (1, C, H, W) uint8
    changes: tuple[str, ...] = ()


def prepare(ink: Ink, size: Shape = (28, 28)) -> Tensor:
    """Prepare ink of any size (H, W) as ``prepared`` does: (1, 1, height, width) uint8. Raises DrawingError."""
    return prepared(ink, size).image


def prepared(ink: Ink, size: Shape = (28, 28)) -> Preparation:
    """Make ink of any size (H, W) look like MNIST (LeCun et al. 1998). Returns the result with its steps.

    The ink is cropped, its strokes get MNIST's mean thickness, then it is scaled with its proportions into a box of
    20/28 of the image, with its centre of mass in the middle. Ink hardly larger than the box, such as MNIST's own,
    keeps its thickness. Raises DrawingError if there is no ink.
    """
    crop = _extent(ink)
    cropped = ink[crop]
    distances = _border_distance(cropped)
    thickness = _thickness(distances)
    is_sharp = max(cropped.shape) >= SHARP * BOX * 28
    # The border moves by half of the missing thickness, inwards if the strokes are too thick.
    moved = FINE * (THICKNESS - thickness) / 2 if thickness and is_sharp else None
    even = cropped if moved is None else _inside(distances, moved)
    trim = _extent(even)
    evened = even[trim]
    box = _fitted(evened, BOX * min(size))
    corner = _centring(box, size)
    return Preparation(cropped, evened, _placed(box, corner, size), thickness, crop, moved, trim, corner)


def _extent(ink: Ink) -> Window:
    rows, columns = np.nonzero(ink > FAINT)
    if not len(rows):
        raise DrawingError("there is nothing drawn")
    return slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)


def _fitted(ink: Ink, side: float) -> Ink:
    """Scale ink with its proportions so that the longer side has ``side`` pixels."""
    scale = side / max(ink.shape)
    height, width = (max(1, round(length * scale)) for length in ink.shape)
    resampling = Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(ink).resize((width, height), resampling))


def _border_distance(cropped: Ink) -> Distances:
    """Return each fine pixel's distance to the ink's border, in fine pixels, negative outside, with a margin around."""
    is_ink = np.pad(_fitted(cropped, FINE * BOX * 28) > HALF, FINE * 4)
    if not is_ink.any():
        return np.full(is_ink.shape, -np.inf)
    distances: Distances = np.where(is_ink, distance_transform_edt(is_ink), -distance_transform_edt(~is_ink))
    return distances


def _thickness(distances: Distances) -> float:
    """Measure the strokes by the ridges along their middles, in MNIST's pixels; 0 if there are none."""
    ridge = distances[(distances == maximum_filter(distances, 3)) & (distances > 0)]
    return 2 * float(np.median(ridge)) / FINE if len(ridge) else 0.0


def _inside(distances: Distances, outwards: float) -> Ink:
    """Return the ink inside a border moved ``outwards`` by so many fine pixels."""
    return ((distances > -outwards) * np.uint8(255)).astype(np.uint8)


def _centring(box: Ink, size: Shape) -> tuple[int, int]:
    """Return top and left that put the centre of mass in the middle of an image of ``size``, if there is room."""
    mass = box.astype(np.float64) / box.sum(dtype=np.float64)
    centres = float(mass.sum(1) @ np.arange(box.shape[0])), float(mass.sum(0) @ np.arange(box.shape[1]))
    top, left = (
        min(max(round((side - 1) / 2 - centre), 0), side - length)
        for side, centre, length in zip(size, centres, box.shape, strict=True)
    )
    return top, left


def _placed(box: Ink, corner: tuple[int, int], size: Shape) -> Tensor:
    """Put ink into a black image (1, 1, height, width)."""
    image = np.zeros(size, np.uint8)
    top, left = corner
    image[top : top + box.shape[0], left : left + box.shape[1]] = box
    return torch.tensor(image)[None, None]


def stroke_ink(
    drawing: Drawing,
    height: float = DRAWN_HEIGHT,
    centre: tuple[float, float] = (0.5, 0.5),
    whole: Drawing | None = None,
) -> Ink:
    """Render strokes with a round pen on the canvas: (CANVAS, CANVAS).

    The longer side of the pen's path becomes ``height`` pixels, the pen's width in proportion; ``centre`` is the path's
    middle as shares of the canvas. Strokes beyond the canvas are cut off. With ``whole`` the drawing is a part of it
    and keeps its place and size.
    """
    points = np.concatenate([np.array(stroke) for stroke in (whole or drawing).strokes])  # (P, 2)
    # Scaling by a power of two is exact and keeps differences of huge numbers finite.
    _, exponent = np.frexp(max(np.abs(points).max(), drawing.pen))
    points, own_pen = np.ldexp(points, -exponent), float(np.ldexp(drawing.pen, -exponent))
    span = points.max(0) - points.min(0)
    oversampling = 2  # PIL draws without smoothing
    # A dot has no height: with its pen it becomes as large as another drawing.
    scale = height * oversampling * min(1 / max(float(span.max()), 1e-9), (1 + USUAL_PEN) / own_pen)
    side, pen = CANVAS * oversampling, max(own_pen * scale, THINNEST * oversampling)
    image = Image.new("L", (side, side))
    draw = ImageDraw.Draw(image)
    middle, target = points.min(0) + span / 2, np.array(centre) * side
    for stroke in drawing.strokes:
        path = [(float(x), float(y)) for x, y in (np.ldexp(stroke, -exponent) - middle) * scale + target]
        if len(path) > 1:
            draw.line(path, fill=255, width=round(pen), joint="curve")
        for x, y in path:
            draw.ellipse((x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2), fill=255)
    return np.asarray(image.reduce(oversampling))


def network_input(picture: Image.Image, shape: Shape, is_drawn: bool, is_light_on_dark: bool) -> NetworkInput:
    """Prepare an RGB picture for a network of ``shape`` (C, H, W).

    A drawn character becomes ink, whatever its paper and pen, and is prepared as a drawing. Anything else is scaled to
    the network's size, after it was made light on dark if the network's classes are. Raises DrawingError if a
    character is expected and nothing is drawn.
    """
    if is_drawn:
        dark = on_dark(picture, rim_sides=1)
        return NetworkInput(prepare(_as_ink(dark.picture), shape[1:]), (RIM_CUT,) * dark.is_rim_cut)
    if not is_light_on_dark:
        return NetworkInput(_scaled(picture, shape))
    dark = on_dark(picture, rim_sides=4)  # a close-up may show its ground along three sides only
    return NetworkInput(_scaled(dark.picture, shape), (RIM_CUT,) * dark.is_rim_cut + (INVERTED,) * dark.is_inverted)


def _as_ink(picture: Image.Image) -> Ink:
    """Scale light strokes on black as if their pen were white. Raises DrawingError if there are none."""
    light = np.asarray(picture.convert("L"))
    strokes = light[light > light.max() / 2]
    if light.max() <= FAINT:
        raise DrawingError("there is nothing drawn")
    ink: Ink = (light / np.median(strokes) * 255).clip(0, 255).round().astype(np.uint8)
    return ink


def _scaled(picture: Image.Image, shape: Shape) -> Tensor:
    channels, height, width = shape
    scaled = picture.convert("L" if channels == 1 else "RGB").resize((width, height), Image.Resampling.BILINEAR)
    return torch.tensor(np.asarray(scaled)).view(1, height, width, channels).permute(0, 3, 1, 2)
