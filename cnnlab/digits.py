"""From a drawing, a photo or pen strokes to an image that looks like the training data's."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageDraw, UnidentifiedImageError
from scipy.ndimage import distance_transform_edt, maximum_filter
from torch import Tensor

from cnnlab.layers import Shape
from cnnlab.strokes import CANVAS, DRAWN_HEIGHT, MAX_FILE_BYTES, PEN, Drawing, DrawingError

Ink = npt.NDArray[np.uint8]  # (H, W), 0 is background, 255 full ink

BOX = 20 / 28  # MNIST fits the ink into 20×20 of its 28×28 pixels
FAINT = 24  # ink up to this counts as background when the drawing is cropped
FINE = 8  # of MNIST's pixels, so finely is thickness measured
HALF = 127  # ink above this is ink, not the edge of a stroke
SHARP = 2  # times as large as the box a drawing must be for its thickness to be made even
THICKNESS = 2.4  # MNIST's pixels: the mean of its strokes, measured in the same way
BLOT = 6.5  # MNIST's pixels: no pen is so thick
MAX_PIXELS = 4096 * 4096


@dataclass(frozen=True)
class Preparation:
    """What became of a drawing, step by step."""

    cropped: Ink  # to what is drawn
    evened: Ink  # strokes as thick as the training data's
    image: Tensor  # (1, 1, H, W) uint8: scaled, and its centre of mass in the middle
    thickness: float  # of the strokes before, in pixels of MNIST's 28

    @property
    def suspicion(self) -> str:
        """Why to doubt any reading of it; empty where there is no reason."""
        return "more a blot than strokes" if self.thickness > BLOT else ""


def prepare(ink: Ink, size: Shape = (28, 28)) -> Tensor:
    """Ink of any size (H, W) → (1, 1, height, width) uint8; as ``prepared``."""
    return prepared(ink, size).image


def prepared(ink: Ink, size: Shape = (28, 28)) -> Preparation:
    """Ink of any size (H, W), made to look as MNIST does (LeCun et al. 1998), by the steps it went through.

    The ink is cropped, its strokes are made as thick as MNIST's are in the mean, then it is scaled with its
    proportions into a box of 20/28 of the image, and moved so that its centre of mass lies in the middle. Ink hardly
    larger than the box, as MNIST's own, keeps its thickness. Raises DrawingError where there is no ink.
    """
    cropped = _cropped(ink)
    evened, thickness = _evened(cropped)
    height, width = size
    box = _fitted(evened, BOX * min(size))

    mass = box.astype(np.float64) / box.sum(dtype=np.float64)
    centre_row = float(mass.sum(1) @ np.arange(box.shape[0]))
    centre_column = float(mass.sum(0) @ np.arange(box.shape[1]))
    top = min(max(round((height - 1) / 2 - centre_row), 0), height - box.shape[0])
    left = min(max(round((width - 1) / 2 - centre_column), 0), width - box.shape[1])
    image = np.zeros(size, np.uint8)
    image[top : top + box.shape[0], left : left + box.shape[1]] = box
    return Preparation(cropped, evened, torch.tensor(image)[None, None], thickness)


def _cropped(ink: Ink) -> Ink:
    rows, columns = np.nonzero(ink > FAINT)
    if not len(rows):
        raise DrawingError("there is nothing drawn")
    return ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


def _fitted(ink: Ink, side: float) -> Ink:
    """Scaled with its proportions so that the longer side is ``side``."""
    scale = side / max(ink.shape)
    height, width = (max(1, round(length * scale)) for length in ink.shape)
    resampling = Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(ink).resize((width, height), resampling))


def _evened(ink: Ink) -> tuple[Ink, float]:
    """Cropped ink with strokes of MNIST's mean thickness, and their thickness before, in MNIST's pixels."""
    fine = _fitted(ink, FINE * BOX * 28)
    is_ink = np.pad(fine > HALF, FINE * 4)
    inside = distance_transform_edt(is_ink)
    ridge = inside[(inside == maximum_filter(inside, 3)) & is_ink]
    thickness = 2 * float(np.median(ridge)) / FINE if len(ridge) else 0.0
    if max(ink.shape) < SHARP * BOX * 28 or not len(ridge):
        return ink, thickness
    # The border of the ink moves out, or in, by half of what the strokes lack, or have too much.
    signed = np.where(is_ink, inside, -distance_transform_edt(~is_ink))
    move = FINE * (THICKNESS - thickness) / 2
    return _cropped(((signed > -move) * np.uint8(255)).astype(np.uint8)), thickness


def canvas_ink(rgba: npt.NDArray[np.uint8]) -> Ink:
    """Canvas pixels (H, W, 4), light strokes on a dark ground → ink."""
    light = np.asarray(Image.fromarray(rgba[..., :3]).convert("L"), np.float64)
    return (light * (rgba[..., 3] / 255)).round().astype(np.uint8)


def stroke_ink(drawing: Drawing, height: float = DRAWN_HEIGHT, centre: tuple[float, float] = (0.5, 0.5)) -> Ink:
    """Strokes drawn with a round pen on the canvas, as a hand would: (CANVAS, CANVAS).

    The longer side of the line that the pen followed becomes ``height`` pixels, the pen's width in proportion;
    ``centre`` is its middle as shares of the canvas. What lies beyond the canvas is lost.
    """
    points = np.concatenate([np.array(stroke) for stroke in drawing.strokes])  # (P, 2)
    span = points.max(0) - points.min(0)
    oversampling = 2  # PIL draws without smoothing
    # A dot has no height: it becomes as large, with its pen, as another drawing.
    usual = 1 + PEN / DRAWN_HEIGHT
    scale = height * oversampling * min(1 / max(float(span.max()), 1e-9), usual / drawing.pen)
    side, pen = CANVAS * oversampling, drawing.pen * scale
    image = Image.new("L", (side, side))
    draw = ImageDraw.Draw(image)
    middle, place = points.min(0) + span / 2, np.array(centre) * side
    for stroke in drawing.strokes:
        path = [(float(x), float(y)) for x, y in (np.array(stroke) - middle) * scale + place]
        if len(path) > 1:
            draw.line(path, fill=255, width=max(1, round(pen)), joint="curve")
        for x, y in path:
            draw.ellipse((x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2), fill=255)
    return np.asarray(image.reduce(oversampling))


def read_image(content: bytes) -> Image.Image:
    """An image file, its size checked before it is decoded. Raises DrawingError where it is none."""
    if len(content) > MAX_FILE_BYTES:
        raise DrawingError(f"the file is larger than {MAX_FILE_BYTES // 1_000_000} MB")
    try:
        image = Image.open(BytesIO(content), formats=("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF"))
        if image.width * image.height > MAX_PIXELS:
            raise DrawingError(f"the image has {image.width}×{image.height} pixels: send one of 4096×4096 at the most")
        image.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        if isinstance(error, DrawingError):
            raise
        raise DrawingError("the file is no image that can be read (PNG, JPEG, BMP, GIF, WEBP or TIFF)") from error
    return image


def image_input(image: Image.Image, shape: Shape, is_drawn: bool) -> Tensor:
    """An image → (1, C, H, W) uint8 for a network of ``shape``.

    A character is taken for light on dark, or where the border is light for dark on light, and prepared as
    a drawing; anything else is scaled to the network's size.
    """
    flat = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    channels, height, width = shape
    if not is_drawn:
        scaled = flat.convert("L" if channels == 1 else "RGB").resize((width, height), Image.Resampling.BILINEAR)
        return torch.tensor(np.asarray(scaled)).view(1, height, width, channels).permute(0, 3, 1, 2)
    light = np.asarray(flat.convert("L"))
    border = np.concatenate([light[0], light[-1], light[:, 0], light[:, -1]])
    return prepare(255 - light if np.median(border) > 127 else light, (height, width))
