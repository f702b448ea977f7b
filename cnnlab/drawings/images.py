"""The reader of picture files: whatever the format, its pixels come out upright, opaque and with 8 bits a channel."""

from __future__ import annotations

import struct
import warnings
from dataclasses import dataclass
from io import BytesIO
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError
from scipy.ndimage import binary_erosion

from cnnlab.drawings.strokes import DrawingError

Pixels = npt.NDArray[np.uint8]  # (H, W), 255 is light
Mask = npt.NDArray[np.bool_]  # (H, W)

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF")
SUFFIXES = ["png", "jpg", "jpeg", "webp", "bmp", "gif", "tif", "tiff"]  # of their files
MAX_PIXELS = 4096 * 4096
MAX_FILE_BYTES = 50_000_000
ENOUGH_PIXELS = 2048  # a side
WHITES = (1, 255, 4095, 65535)  # of floats, of 8, 12 and 16 bits
MIDDLE = 127  # between dark and light
WHOLE = 0.9  # of its box, filled by a picture with transparent margins
FRINGE = 16  # of 255, by which the edge of what was cut out differs from its inside
TONES = 64  # of 255, between the light and the dark parts of such a picture

RIM = 1 / 8  # of a picture's side, the widest rim
SPAN = 0.98  # of a side, the least that its rim covers
BUSY = 0.3  # of the line within a rim, more is no ground with ink here and there
FREE = 0.5  # of a side, the least of its rim that no ink touches
FAINT = 0.09  # of the strongest contrast, so little is none
SOFT = 1  # pixel, the rim's blurred edge
STRAY = 0.001  # of all pixels, so few say nothing of a picture's tones

DAMAGED = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, struct.error)  # as PIL tells it


def read_picture(content: bytes) -> Image.Image:
    """Read a picture's file → RGB, 8 bits a channel, turned as its EXIF tag says; of several frames the first.

    Its size is checked before it is decoded. Greys of 16 bits or floats are scaled to their range; what is transparent
    becomes white or black, whichever the visible stands out from. Raises DrawingError where it cannot be read.
    """
    if not content:
        raise DrawingError("the file is empty")
    if len(content) > MAX_FILE_BYTES:
        raise DrawingError(f"the file is larger than {MAX_FILE_BYTES // 1_000_000} MB")
    try:
        with warnings.catch_warnings(action="ignore"):  # which PIL has for what is refused here, or harmless
            return _opaque(_in_8_bits(_upright(_decoded(Image.open(BytesIO(content), formats=FORMATS)))))
    except DrawingError:
        raise
    except UnidentifiedImageError as error:
        raise DrawingError(f"the file is no image that can be read ({', '.join(FORMATS[:-1])} or TIFF)") from error
    except Image.DecompressionBombError as error:
        raise DrawingError("the image has far too many pixels: send one of 4096×4096 at the most") from error
    except DAMAGED as error:
        raise DrawingError("the image is damaged, incomplete or of a rare kind: save it as PNG or JPEG") from error


def _decoded(image: Image.Image) -> Image.Image:
    image.draft(None, (ENOUGH_PIXELS, ENOUGH_PIXELS))  # a phone's JPEG is decoded at a half or a quarter at once
    if image.width * image.height > MAX_PIXELS:
        raise DrawingError(f"the image has {image.width}×{image.height} pixels: send one of 4096×4096 at the most")
    image.load()
    return image


def _upright(image: Image.Image) -> Image.Image:
    """Turned as its camera was held, where its EXIF can be read."""
    try:
        return ImageOps.exif_transpose(image)
    except DAMAGED:
        return image


def _in_8_bits(image: Image.Image) -> Image.Image:
    """Greys of more bits as L; any other image as it is."""
    if not image.mode.startswith(("I", "F")):
        return image
    values = np.asarray(image)
    known = values[np.isfinite(values)]
    if not known.size:
        raise DrawingError("the image has no pixel with a value")
    darkest, lightest = float(known.min()), float(known.max())
    black, white = next(((0, white) for white in WHITES if darkest >= 0 and lightest <= white), (darkest, lightest))
    light = np.nan_to_num(np.interp(values, (black, white), (0, 255)))
    grey = Image.fromarray(light.round().astype(np.uint8))
    if isinstance(clear := image.info.get("transparency"), int):  # a PNG's value that is not seen
        grey.putalpha(Image.fromarray((values != clear) * np.uint8(255)))
    return grey


def _opaque(image: Image.Image) -> Image.Image:
    """On a ground from which what is visible stands out: RGB. Transparent margins around a whole picture are cut."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    light, opacity = (np.asarray(band) for band in image.convert("LA").split())
    visible = opacity > opacity.max() / 2
    if not visible.any():
        return Image.new("RGB", image.size, "white")
    dark, usual, bright = np.quantile(light[visible], (0.05, 0.5, 0.95))
    box = Image.fromarray(visible).getbbox() or (0, 0, *image.size)
    area = (box[2] - box[0]) * (box[3] - box[1])
    if visible.sum() >= WHOLE * area and bright - dark > TONES:
        image = image.crop(box)
        ground = usual  # its paper goes on
    else:
        ground = _ground_around(light, visible, usual)
    return Image.alpha_composite(Image.new("RGBA", image.size, "white" if ground > MIDDLE else "black"), image).convert(
        "RGB"
    )


def _ground_around(light: Pixels, visible: Mask, usual: float) -> float:
    """The ground that something was cut out of, where its fringe still shows it; else the opposite of its own tone."""
    fringe = float(np.median(light[visible & ~binary_erosion(visible)]))
    if abs(fringe - usual) > FRINGE:
        return 0 if fringe < usual else 255
    return 255 - usual


@dataclass(frozen=True)
class OnDark:
    """A picture whose ground became black, and how."""

    picture: Image.Image  # RGB
    is_inverted: bool
    is_rim_cut: bool


def on_dark(picture: Image.Image, rim_sides: int) -> OnDark:
    """Make the ground of an RGB picture black and what stands on it light, whatever both were.

    A rim along ``rim_sides`` or more is cut off. The ground is what most of the border shows. The picture is inverted
    where it reaches further from there towards black than towards white.
    """
    grey = picture.convert("L")
    rim = rim_of(grey, rim_sides)
    if rim.any():
        picture = picture.copy()
        tone = np.median(_border(_inside(np.asarray(picture))), axis=0)
        picture.paste(tuple(tone.astype(int).tolist()), mask=Image.fromarray(rim))
        grey = picture.convert("L")
    ground = np.median(_border(np.asarray(grey)))
    darkest, lightest = _levels(grey)
    is_inverted = bool(ground - darkest > lightest - ground)
    tables = [_table(float(level), is_inverted) for level in np.median(_border(np.asarray(picture)), axis=0)]
    return OnDark(picture.point(np.concatenate(tables).tolist()), is_inverted, bool(rim.any()))


def _border(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The outermost of (H, W) or (H, W, C)."""
    return np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])


def _levels(grey: Image.Image) -> tuple[int, int]:
    """Its darkest and its lightest tone, but for stray pixels."""
    below = np.cumsum(grey.histogram()) / (grey.width * grey.height)
    return int((below > STRAY).argmax()), int((below >= 1 - STRAY).argmax())


def _table(ground: float, is_inverted: bool) -> npt.NDArray[np.uint8]:
    """(256,): what becomes of each value where the ground becomes 0 and the end of the scale 255."""
    away = ground - np.arange(256) if is_inverted else np.arange(256) - ground
    farthest = max(ground if is_inverted else 255 - ground, 1.0)
    return (away.clip(0) / farthest * 255).round().astype(np.uint8)


def rim_of(grey: Image.Image, least_sides: int) -> Mask:
    """Find the dark or light rim of a few pixels that a scanner or a frame left along a picture's sides: (H, W).

    Fewer than ``least_sides`` are none. Ink that touches a side is no rim: such a side has one only where all four
    have.
    """
    ground = float(np.median(_border(_inside(np.asarray(grey)))))
    darkest, lightest = cast("tuple[int, int]", grey.getextrema())  # of one channel
    contrast = max(ground - darkest, lightest - ground)
    other = np.asarray(grey.point([255 * (abs(tone - ground) > FAINT * contrast) for tone in range(256)])) > 0
    sides = [_Side.of(np.rot90(other, turns)) for turns in range(4)]
    rim = np.zeros(other.shape, bool)
    if sum(side.is_covered for side in sides) < least_sides or np.mean(_border(_inside(other))) > BUSY:
        return rim
    for turns, side in enumerate(sides):
        beside = sides[turns - 1].is_covered or sides[(turns + 1) % 4].is_covered
        if side.is_covered and (not side.is_touched(beside) or all(each.is_covered for each in sides)):
            np.rot90(rim, turns)[:] |= side.rim()
    return rim


def _inside(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The part of (H, W) or (H, W, C) that no rim reaches."""
    down, across = (int(RIM * length) for length in pixels.shape[:2])
    return pixels[down : len(pixels) - down, across : pixels.shape[1] - across]


@dataclass(frozen=True)
class _Side:
    """A picture's side, turned to the top, and how far what is not its ground reaches in."""

    depths: npt.NDArray[np.intp]  # (W,), in each column
    height: int

    @classmethod
    def of(cls, other: Mask) -> _Side:
        return cls(np.where(other.all(0), len(other), other.argmin(0)), len(other))

    @property
    def _is_rim(self) -> Mask:
        """(W,): whether a rim may lie there."""
        found: Mask = (self.depths > 0) & (self.depths <= RIM * self.height)
        return found

    def _inner(self) -> slice:
        """The columns where no rim of the sides beside it lies."""
        margin = int(RIM * len(self.depths))
        return slice(margin, len(self.depths) - margin)

    @property
    def is_covered(self) -> bool:
        """Whether nearly all of it is other than the ground, and enough of that no deeper than a rim."""
        return bool((self.depths > 0).mean() >= SPAN and self._is_rim[self._inner()].mean() >= FREE)

    def is_touched(self, has_rim_beside: bool) -> bool:
        """Whether ink reaches it from within the picture."""
        columns = self._inner() if has_rim_beside else slice(None)
        return bool((self.depths[columns] > RIM * self.height).any())

    def rim(self) -> Mask:
        """(H, W): as deep as it is in each column, and as usual where ink touches it."""
        usual = int(np.median(self.depths[self._is_rim]))
        depths = np.where(self._is_rim, self.depths, usual) + SOFT
        rim: Mask = np.arange(self.height)[:, None] < depths
        return rim
