"""From a drawing, a photo or pen strokes to an image that looks like the training data's."""

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

BOX = 20 / 28  # MNIST fits the ink into 20×20 of its 28×28 pixels
FAINT = 24  # ink up to this counts as background when the drawing is cropped
FINE = 8  # of MNIST's pixels, so finely is thickness measured
HALF = 127  # ink above this is ink, not the edge of a stroke
SHARP = 2  # times as large as the box a drawing must be for its thickness to be made even
THICKNESS = 2.4  # MNIST's pixels: the mean of its strokes, measured in the same way
BLOT = 6.5  # MNIST's pixels: no pen is so thick
THINNEST = 2  # pixels of the canvas: of a thinner stroke nothing would be left where it is scaled down
RIM_CUT = "A rim around the picture was cut off."
INVERTED = "The picture was inverted: this network learned from light things on a dark ground."


@dataclass(frozen=True)
class Preparation:
    """What became of a drawing, step by step, and how, so that a part of it can be treated alike."""

    cropped: Ink  # to what is drawn
    evened: Ink  # strokes as thick as the training data's
    image: Tensor  # (1, 1, H, W) uint8: scaled, and its centre of mass in the middle
    thickness: float  # of the strokes before, in pixels of MNIST's 28
    crop: Window  # of the drawing
    moved: float | None  # the border of the ink outwards, in fine pixels; None where it was left
    trim: Window  # of what is cropped, once its border has moved
    corner: tuple[int, int]  # top and left of the scaled ink in the image

    @property
    def suspicion(self) -> str:
        """Why to doubt any reading of it; empty where there is no reason."""
        return "more a blot than strokes" if self.thickness > BLOT else ""

    def of_part(self, ink: Ink) -> Tensor:
        """The image of a part of the drawing, ink (H, W): what is left stays in its place, as large and as thick."""
        size = (self.image.shape[2], self.image.shape[3])
        cropped = ink[self.crop]
        even = cropped if self.moved is None else _inside(_border_distance(cropped), self.moved)
        return _placed(_fitted(even[self.trim], BOX * min(size)), self.corner, size)


@dataclass(frozen=True)
class NetworkInput:
    """A picture as a network gets it, and in sentences what was done to it beyond that."""

    image: Tensor  # (1, C, H, W) uint8
    changes: tuple[str, ...] = ()


def prepare(ink: Ink, size: Shape = (28, 28)) -> Tensor:
    """Ink of any size (H, W) → (1, 1, height, width) uint8; as ``prepared``."""
    return prepared(ink, size).image


def prepared(ink: Ink, size: Shape = (28, 28)) -> Preparation:
    """Ink of any size (H, W), made to look as MNIST does (LeCun et al. 1998), by the steps it went through.

    The ink is cropped, its strokes are made as thick as MNIST's are in the mean, then it is scaled with its
    proportions into a box of 20/28 of the image, and moved so that its centre of mass lies in the middle. Ink hardly
    larger than the box, as MNIST's own, keeps its thickness. Raises DrawingError where there is no ink.
    """
    crop = _extent(ink)
    cropped = ink[crop]
    distances = _border_distance(cropped)
    thickness = _thickness(distances)
    is_sharp = max(cropped.shape) >= SHARP * BOX * 28
    # The border moves out, or in, by half of what the strokes lack, or have too much.
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
    """Scaled with its proportions so that the longer side is ``side``."""
    scale = side / max(ink.shape)
    height, width = (max(1, round(length * scale)) for length in ink.shape)
    resampling = Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(ink).resize((width, height), resampling))


def _border_distance(cropped: Ink) -> Distances:
    """How far inside the ink each fine pixel lies, in fine pixels, negative outside; with room around."""
    is_ink = np.pad(_fitted(cropped, FINE * BOX * 28) > HALF, FINE * 4)
    if not is_ink.any():
        return np.full(is_ink.shape, -np.inf)
    distances: Distances = np.where(is_ink, distance_transform_edt(is_ink), -distance_transform_edt(~is_ink))
    return distances


def _thickness(distances: Distances) -> float:
    """Of the strokes, by the ridges along their middles, in MNIST's pixels; 0 where there are none."""
    ridge = distances[(distances == maximum_filter(distances, 3)) & (distances > 0)]
    return 2 * float(np.median(ridge)) / FINE if len(ridge) else 0.0


def _inside(distances: Distances, outwards: float) -> Ink:
    """Ink up to a border that lies ``outwards`` of the one the distances are to, in fine pixels."""
    return ((distances > -outwards) * np.uint8(255)).astype(np.uint8)


def _centring(box: Ink, size: Shape) -> tuple[int, int]:
    """Top and left at which the centre of mass lies in the middle of an image of ``size``, as far as it has room."""
    mass = box.astype(np.float64) / box.sum(dtype=np.float64)
    centres = float(mass.sum(1) @ np.arange(box.shape[0])), float(mass.sum(0) @ np.arange(box.shape[1]))
    top, left = (
        min(max(round((side - 1) / 2 - centre), 0), side - length)
        for side, centre, length in zip(size, centres, box.shape, strict=True)
    )
    return top, left


def _placed(box: Ink, corner: tuple[int, int], size: Shape) -> Tensor:
    """Ink in an otherwise black image (1, 1, height, width)."""
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
    """Strokes drawn with a round pen on the canvas, as a hand would: (CANVAS, CANVAS).

    The longer side of the line that the pen followed becomes ``height`` pixels, the pen's width in proportion;
    ``centre`` is its middle as shares of the canvas. What lies beyond the canvas is lost. A part of a drawing is
    drawn where and as large as it is in the ``whole``.
    """
    points = np.concatenate([np.array(stroke) for stroke in (whole or drawing).strokes])  # (P, 2)
    # A power of two changes no digit of a number, and with it no difference of two is too large for one.
    _, exponent = np.frexp(max(np.abs(points).max(), drawing.pen))
    points, own_pen = np.ldexp(points, -exponent), float(np.ldexp(drawing.pen, -exponent))
    span = points.max(0) - points.min(0)
    oversampling = 2  # PIL draws without smoothing
    # A dot has no height: it becomes as large, with its pen, as another drawing.
    scale = height * oversampling * min(1 / max(float(span.max()), 1e-9), (1 + USUAL_PEN) / own_pen)
    side, pen = CANVAS * oversampling, max(own_pen * scale, THINNEST * oversampling)
    image = Image.new("L", (side, side))
    draw = ImageDraw.Draw(image)
    middle, place = points.min(0) + span / 2, np.array(centre) * side
    for stroke in drawing.strokes:
        path = [(float(x), float(y)) for x, y in (np.ldexp(stroke, -exponent) - middle) * scale + place]
        if len(path) > 1:
            draw.line(path, fill=255, width=round(pen), joint="curve")
        for x, y in path:
            draw.ellipse((x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2), fill=255)
    return np.asarray(image.reduce(oversampling))


def network_input(picture: Image.Image, shape: Shape, is_drawn: bool, is_light_on_dark: bool) -> NetworkInput:
    """Make of an RGB picture what a network of ``shape`` (C, H, W) takes.

    A drawn character becomes ink, whatever its paper and its pen, and is prepared as a drawing. Anything else is
    scaled to the network's size; for a network of things that are light on dark it is made so before. Raises
    DrawingError where nothing is drawn.
    """
    if is_drawn:
        made = on_dark(picture, rim_sides=1)
        return NetworkInput(prepare(_as_ink(made.picture), shape[1:]), (RIM_CUT,) * made.is_rim_cut)
    if not is_light_on_dark:
        return NetworkInput(_scaled(picture, shape))
    made = on_dark(picture, rim_sides=4)  # of a close-up the ground itself may be left along three
    return NetworkInput(_scaled(made.picture, shape), (RIM_CUT,) * made.is_rim_cut + (INVERTED,) * made.is_inverted)


def _as_ink(picture: Image.Image) -> Ink:
    """Light strokes on black, as if their pen were white."""
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
