"""The reader of picture files: pixels of any format become upright, opaque and 8 bits a channel."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from io import BytesIO
from math import isqrt
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, UnidentifiedImageError
from pillow_heif import register_heif_opener
from scipy.ndimage import binary_erosion

from cnnlab.drawings.strokes import DrawingError

Pixels = npt.NDArray[np.uint8]  # (H, W), 255 is light
Mask = npt.NDArray[np.bool_]  # (H, W)

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "AVIF", "HEIF", "TIFF")
# Of their files.
SUFFIXES = ["png", "jpg", "jpeg", "jpe", "jfif", "webp", "bmp", "gif", "avif", "heic", "heif", "tif", "tiff"]
MAX_PIXELS = 4096 * 4096
MAX_PHOTO_PIXELS = 7168 * 7168  # 51 megapixels, as the best phones take
REDUCIBLE = ("L", "LA", "RGB", "RGBA", "CMYK")  # modes in which larger pictures than MAX_PIXELS are read
MAX_FILE_BYTES = 50_000_000
ENOUGH_PIXELS = 2048  # a side
WHITES = (1, 255, 4095, 65535)  # of floats, of 8, 12 and 16 bits
MIDDLE = 127  # between dark and light
WHOLE = 0.9  # share of its bounding box that a picture with transparent margins fills
FRINGE = 16  # of 255, difference between the edge and the inside of a cut-out
TONES = 64  # of 255, least difference between light and dark parts of such a picture

RIM = 1 / 8  # widest rim, as a share of a picture's side
SPAN = 0.98  # least share of a side that its rim covers
BUSY = 0.3  # largest share of ink on the line inside a rim; more is no plain ground
FREE = 0.5  # least share of a rim that no ink touches
FAINT = 0.09  # share of the strongest contrast that counts as none
SOFT = 1  # width in pixels of the rim's blurred edge
STRAY = 0.001  # share of pixels ignored as outliers among a picture's tones

# How an image that lies as EXIF says, from 2 to 8, is turned upright
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

register_heif_opener()


@dataclass(frozen=True)
class Picture:
    """Hold a picture as it is read, and what its file says of it."""

    image: Image.Image  # RGB
    width: int  # of the file, upright
    height: int
    taken: str  # as the EXIF tag says it; empty where there is none
    notes: tuple[str, ...]  # what was done to it


def read_picture(content: bytes) -> Image.Image:
    """Read a picture file as an RGB image. Raises DrawingError as ``open_picture``."""
    return open_picture(content).image


def open_picture(content: bytes, enough: int = ENOUGH_PIXELS, most: int = MAX_PIXELS) -> Picture:
    """Read the first frame of a picture file as RGB, 8 bits a channel, turned as its EXIF tag says.

    The size is checked before decoding: ``most`` pixels. A JPEG is decoded at a fraction of its size that leaves
    ``enough`` pixels a side, and so are others made smaller that have more than MAX_PIXELS. Greys of 16 bits or floats
    are scaled to their range; transparent pixels become white or black, whichever contrasts with the visible ones.
    Raises DrawingError if the file cannot be read.
    """
    if not content:
        raise DrawingError("the file is empty")
    if len(content) > MAX_FILE_BYTES:
        raise DrawingError(f"the file is larger than {MAX_FILE_BYTES // 1_000_000} MB")
    try:
        with warnings.catch_warnings(action="ignore"):  # they concern what is refused here, or are harmless
            return _read(Image.open(BytesIO(content), formats=FORMATS), enough, most)
    except (DrawingError, MemoryError):
        raise
    except UnidentifiedImageError as error:
        raise DrawingError(f"the file is not a readable image ({', '.join(FORMATS[:-1])} or TIFF)") from error
    except Image.DecompressionBombError as error:
        raise DrawingError(_too_large("far too many pixels", most)) from error
    except Exception as error:  # decoders of strangers' files raise anything: no list of types would be complete
        raise DrawingError("the image is damaged, incomplete or of a rare kind: save it as PNG or JPEG") from error


def picture_size(content: bytes) -> tuple[int, int]:
    """Read the width and height in pixels from the head of a picture file. Raises DrawingError."""
    try:
        with warnings.catch_warnings(action="ignore"):
            return Image.open(BytesIO(content), formats=FORMATS).size
    except Exception as error:  # as in open_picture
        raise DrawingError("the file is not a readable image") from error


def _read(image: Image.Image, enough: int, most: int) -> Picture:
    (width, height), notes = image.size, []
    if getattr(image, "is_animated", False):
        notes.append("first of several frames")
    _load(image, enough, most)
    turn, taken = _exif(image)  # not before: it loads a PNG, and would hide that it is damaged
    upright = image.transpose(TURNS[turn]) if turn > 1 else image  # some decoders have turned it by now
    if turn > 1:
        notes.append("turned upright")
    if (upright.width > upright.height) != (width > height):
        width, height = height, width
    if width * height > MAX_PIXELS:
        upright = upright.reduce(max(1, min(upright.size) // enough))
    return Picture(_opaque(_in_8_bits(upright)), width, height, taken, tuple(notes))


def _load(image: Image.Image, enough: int, most: int) -> None:
    image.draft(None, (enough, enough))  # decodes phones' JPEGs at a half, a quarter or an eighth of their size
    if image.width * image.height > (most if image.mode in REDUCIBLE else MAX_PIXELS):
        raise DrawingError(_too_large(f"{image.width}×{image.height} pixels", most))
    image.load()


def _too_large(size: str, most: int) -> str:
    return f"the image has {size}: send one of at most {isqrt(most)}×{isqrt(most)}"


def _exif(image: Image.Image) -> tuple[int, str]:
    """Return EXIF's number of how the image lies, 1 for upright, and when it was taken; empty where it is unknown."""
    try:
        exif = image.getexif()
        turn = exif.get(ExifTags.Base.Orientation)
        taken = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.DateTimeOriginal)
    except Exception:  # as in open_picture; the pixels are there already
        return 1, ""
    lies = turn if isinstance(turn, int) and turn in range(1, 9) else 1
    return lies, taken if isinstance(taken, str) else ""


def _in_8_bits(image: Image.Image) -> Image.Image:
    """Convert greys of more than 8 bits to mode L; return other images unchanged."""
    if not image.mode.startswith(("I", "F")):
        return image
    values = np.asarray(image)
    finite = values[np.isfinite(values)]
    if not finite.size:
        raise DrawingError("the image has no pixel with a value")
    darkest, lightest = float(finite.min()), float(finite.max())
    black, white = next(((0, white) for white in WHITES if darkest >= 0 and lightest <= white), (darkest, lightest))
    light = np.nan_to_num(np.interp(values, (black, white), (0, 255)))
    grey = Image.fromarray(light.round().astype(np.uint8))
    if isinstance(clear := image.info.get("transparency"), int):  # a PNG's transparent value
        grey.putalpha(Image.fromarray((values != clear) * np.uint8(255)))
    return grey


def _opaque(image: Image.Image) -> Image.Image:
    """Put visible pixels on a ground that contrasts with them, without a picture's transparent margins: RGB."""
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
        ground = usual  # continues its paper
    else:
        ground = _ground_around(light, visible, usual)
    return Image.alpha_composite(Image.new("RGBA", image.size, "white" if ground > MIDDLE else "black"), image).convert(
        "RGB"
    )


def _ground_around(light: Pixels, visible: Mask, usual: float) -> float:
    """Return the tone of the ground that a cut-out's fringe still shows, else the opposite of its own tone."""
    fringe = float(np.median(light[visible & ~binary_erosion(visible)]))
    if abs(fringe - usual) > FRINGE:
        return 0 if fringe < usual else 255
    return 255 - usual


@dataclass(frozen=True)
class OnDark:
    """Hold a picture whose ground became black, and how."""

    picture: Image.Image  # RGB
    is_inverted: bool
    is_rim_cut: bool


def on_dark(picture: Image.Image, rim_sides: int) -> OnDark:
    """Make the ground of an RGB picture black and everything on it light.

    A rim along ``rim_sides`` or more sides is cut off. The ground's tone is the median of the border. The picture is
    inverted if its tones reach further from there towards black than towards white.
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
    """Return the outermost pixels of (H, W) or (H, W, C) in a row."""
    return np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])


def _levels(grey: Image.Image) -> tuple[int, int]:
    """Return the darkest and the lightest tone, without the STRAY share of outliers."""
    below = np.cumsum(grey.histogram()) / (grey.width * grey.height)
    return int((below > STRAY).argmax()), int((below >= 1 - STRAY).argmax())


def _table(ground: float, is_inverted: bool) -> npt.NDArray[np.uint8]:
    """Return a look-up table (256,) that maps the ground to 0 and the end of the scale to 255."""
    away = ground - np.arange(256) if is_inverted else np.arange(256) - ground
    farthest = max(ground if is_inverted else 255 - ground, 1.0)
    return (away.clip(0) / farthest * 255).round().astype(np.uint8)


def rim_of(grey: Image.Image, least_sides: int) -> Mask:
    """Return the mask (H, W) of the narrow dark or light rim that a scanner or a frame left along a picture's sides.

    It is empty if fewer than ``least_sides`` have a rim. Ink that touches a side is no rim: such a side has one only if
    all four have.
    """
    ground = float(np.median(_border(_inside(np.asarray(grey)))))
    darkest, lightest = cast("tuple[int, int]", grey.getextrema())  # of one channel
    contrast = max(ground - darkest, lightest - ground)
    differs = np.asarray(grey.point([255 * (abs(tone - ground) > FAINT * contrast) for tone in range(256)])) > 0
    sides = [_Side.of(np.rot90(differs, turns)) for turns in range(4)]
    rim = np.zeros(differs.shape, bool)
    if sum(side.is_covered for side in sides) < least_sides or np.mean(_border(_inside(differs))) > BUSY:
        return rim
    for turns, side in enumerate(sides):
        beside = sides[turns - 1].is_covered or sides[(turns + 1) % 4].is_covered
        if side.is_covered and (not side.is_touched(beside) or all(each.is_covered for each in sides)):
            np.rot90(rim, turns)[:] |= side.rim()
    return rim


def _inside(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Crop (H, W) or (H, W, C) to the part that no rim reaches."""
    down, across = (int(RIM * length) for length in pixels.shape[:2])
    return pixels[down : len(pixels) - down, across : pixels.shape[1] - across]


@dataclass(frozen=True)
class _Side:
    """Hold a picture's side, turned to the top, and how deep pixels other than the ground reach in."""

    depths: npt.NDArray[np.intp]  # (W,), pixels in each column
    height: int

    @classmethod
    def of(cls, differs: Mask) -> _Side:
        return cls(np.where(differs.all(0), len(differs), differs.argmin(0)), len(differs))

    @property
    def _is_rim(self) -> Mask:
        """Tell for each column (W,) whether it may have a rim."""
        is_narrow: Mask = (self.depths > 0) & (self.depths <= RIM * self.height)
        return is_narrow

    def _inner(self) -> slice:
        """Return the columns that no rim of the neighbouring sides reaches."""
        margin = int(RIM * len(self.depths))
        return slice(margin, len(self.depths) - margin)

    @property
    def is_covered(self) -> bool:
        """Tell whether nearly all of the side differs from the ground, and enough of it no deeper than a rim."""
        return bool((self.depths > 0).mean() >= SPAN and self._is_rim[self._inner()].mean() >= FREE)

    def is_touched(self, has_rim_beside: bool) -> bool:
        """Tell whether ink inside the picture reaches the side."""
        columns = self._inner() if has_rim_beside else slice(None)
        return bool((self.depths[columns] > RIM * self.height).any())

    def rim(self) -> Mask:
        """Return the rim's mask (H, W), of the usual depth where ink touches it."""
        usual = int(np.median(self.depths[self._is_rim]))
        depths = np.where(self._is_rim, self.depths, usual) + SOFT
        rim: Mask = np.arange(self.height)[:, None] < depths
        return rim
