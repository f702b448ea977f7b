"""From a drawing, a photo or pen strokes to an image that looks like the training data's."""

from __future__ import annotations

from io import BytesIO
from typing import Annotated

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageDraw, UnidentifiedImageError
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from torch import Tensor

from cnnlab.layers import Shape

Ink = npt.NDArray[np.uint8]  # (H, W), 0 is background, 255 full ink

CANVAS = 280  # pixels, width and height
PEN = 24  # pixels, the stroke's width: shrunk with the drawing it is about as thick as MNIST's
DRAWN_HEIGHT = 180  # pixels that the longer side of a drawing given as strokes takes on the canvas
BOX = 20 / 28  # MNIST fits the ink into 20×20 of its 28×28 pixels
FAINT = 24  # ink up to this counts as background when the drawing is cropped
MAX_PIXELS = 4096 * 4096
MAX_FILE_BYTES = 50_000_000

Point = tuple[Annotated[float, Field(ge=-100, le=100)], Annotated[float, Field(ge=-100, le=100)]]
Stroke = Annotated[list[Point], Field(min_length=1, max_length=10_000)]


class DrawingError(ValueError):
    """A drawing that cannot be read; the message says why."""


class Drawing(BaseModel):
    """Pen strokes as points (x to the right, y down), the longer side scaled to 0…1."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    strokes: Annotated[list[Stroke], Field(min_length=1, max_length=1_000)]


def prepare(ink: Ink, size: tuple[int, int] = (28, 28)) -> Tensor:
    """Ink of any size (H, W) → (1, 1, height, width) uint8, made as MNIST was (LeCun et al. 1998).

    The ink is cropped, scaled with its proportions into a box of 20/28 of the image, and moved so that its
    centre of mass lies in the middle. Raises DrawingError where there is no ink.
    """
    rows, columns = np.nonzero(ink > FAINT)
    if not len(rows):
        raise DrawingError("there is nothing drawn")
    cropped = Image.fromarray(ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1])
    height, width = size
    scale = BOX * min(size) / max(cropped.size)
    shrunk = (max(1, round(cropped.width * scale)), max(1, round(cropped.height * scale)))
    box = np.asarray(cropped.resize(shrunk, Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR))

    mass = box.astype(np.float64) / box.sum(dtype=np.float64)
    centre_row = float(mass.sum(1) @ np.arange(box.shape[0]))
    centre_column = float(mass.sum(0) @ np.arange(box.shape[1]))
    top = min(max(round((height - 1) / 2 - centre_row), 0), height - box.shape[0])
    left = min(max(round((width - 1) / 2 - centre_column), 0), width - box.shape[1])
    image = np.zeros(size, np.uint8)
    image[top : top + box.shape[0], left : left + box.shape[1]] = box
    return torch.tensor(image)[None, None]  # (1, 1, height, width)


def canvas_ink(rgba: npt.NDArray[np.uint8]) -> Ink:
    """Canvas pixels (H, W, 4), light strokes on a dark ground → ink."""
    light = np.asarray(Image.fromarray(rgba[..., :3]).convert("L"), np.float64)
    return (light * (rgba[..., 3] / 255)).round().astype(np.uint8)


def stroke_ink(drawing: Drawing) -> Ink:
    """Strokes drawn with the canvas's round pen in its middle, as a hand would: (CANVAS, CANVAS)."""
    points = np.concatenate([np.array(stroke) for stroke in drawing.strokes])  # (P, 2)
    span = points.max(0) - points.min(0)
    oversampling = 2  # PIL draws without smoothing
    scale = DRAWN_HEIGHT * oversampling / max(float(span.max()), 1e-6)
    if span.max() < 1e-3:
        scale = 0.0  # a single dot stays one
    side, pen = CANVAS * oversampling, PEN * oversampling
    middle = points.min(0) + span / 2
    image = Image.new("L", (side, side))
    draw = ImageDraw.Draw(image)
    for stroke in drawing.strokes:
        path = [(float(x), float(y)) for x, y in (np.array(stroke) - middle) * scale + side / 2]
        if len(path) > 1:
            draw.line(path, fill=255, width=pen, joint="curve")
        for x, y in path:
            draw.ellipse((x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2), fill=255)
    return np.asarray(image.reduce(oversampling))


def read_drawings(content: bytes) -> list[Drawing]:
    """A JSON list of drawings ``[{"strokes": [[[x, y], …], …]}, …]``. Raises DrawingError where it is not."""
    if len(content) > MAX_FILE_BYTES:
        raise DrawingError(f"the file is larger than {MAX_FILE_BYTES // 1_000_000} MB")
    try:
        return TypeAdapter(list[Drawing]).validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DrawingError(f"no JSON list of drawings: {where}: {first['msg']}") from error


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
