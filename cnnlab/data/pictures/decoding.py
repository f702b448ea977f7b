"""One picture file becomes pixels of a data set: upright, of one size, with what tells it from others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps
from scipy.fft import dctn

from cnnlab.data.pictures.version import digest_of_bytes
from cnnlab.drawings.images import MAX_PHOTO_PIXELS, Picture, open_picture

Array = npt.NDArray[np.uint8]
Fit = Literal["crop", "pad", "squash"]

PREVIEW = 192  # pixels, the longer side of what is kept of an original
PREVIEW_QUALITY = 80  # of JPEG, about 6 kB
DRAFT = 2  # a JPEG is decoded at no less than so many times the size it is fitted to
HASHED = 32  # pixels a side that a perceptual hash is made of
HASH_SIDE = 8  # frequencies a side in it
GREY = 6  # of 255: largest difference between the channels of a pixel that counts as grey, as JPEG blurs colour


@dataclass(frozen=True, slots=True)
class Decoded:
    """A picture as a network gets it, and what is known of the original."""

    pixels: Array  # (3, S, S)
    digest: str  # of the file
    hash: int  # perceptual, 64 bits: few bits differ between pictures that look alike
    width: int  # of the original, upright
    height: int
    is_grey: bool
    taken: float | None  # seconds since 1970 by its EXIF tag, in the camera's own time zone
    note: str  # what was done to it, where that is worth telling
    preview: bytes  # JPEG; empty where the pixels show all of it


def decode(content: bytes, size: int, fit: Fit) -> Decoded:
    """Decode a picture and fit it to ``size`` × ``size`` pixels. Raises DrawingError where it cannot be read."""
    read = open_picture(content, max(DRAFT * size, PREVIEW), MAX_PHOTO_PIXELS)
    pixels = np.asarray(fitted(read.image, size, fit)).transpose(2, 0, 1)  # (S, S, 3) → (3, S, S)
    spread = pixels.max(0).astype(np.int16) - pixels.min(0)
    return Decoded(
        pixels=pixels,
        digest=digest_of_bytes(content),
        hash=perceptual_hash(read.image),
        width=read.width,
        height=read.height,
        is_grey=bool((spread <= GREY).all()),
        taken=_taken(read),
        note=", ".join(read.notes),
        preview=_preview(read.image) if max(read.width, read.height) > size else b"",
    )


def fitted(image: Image.Image, size: int, fit: Fit) -> Image.Image:
    """Bring an RGB image to a square: its middle, all of it on black, or all of it stretched."""
    across = (size, size)
    match fit:
        case "crop":
            return ImageOps.fit(image, across, Image.Resampling.BICUBIC)
        case "pad":
            return ImageOps.pad(image, across, Image.Resampling.BICUBIC)
        case "squash":
            return image.resize(across, Image.Resampling.BICUBIC, reducing_gap=DRAFT)


def perceptual_hash(image: Image.Image) -> int:
    """Hash what an image looks like to 64 bits: the signs of its lowest frequencies against their median (pHash).

    Zauner 2010, Implementation and benchmarking of perceptual image hash functions. Few bits change with size, quality,
    brightness or a slight crop.
    """
    grey = image.convert("L").resize((HASHED, HASHED), Image.Resampling.BOX)
    low = dctn(np.asarray(grey, np.float32))[:HASH_SIDE, :HASH_SIDE].ravel()
    bits = low > np.median(low[1:])  # the first is the mean brightness
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def _preview(image: Image.Image) -> bytes:
    small = image.copy()
    small.thumbnail((PREVIEW, PREVIEW), reducing_gap=DRAFT)
    file = BytesIO()
    small.save(file, "JPEG", quality=PREVIEW_QUALITY)
    return file.getvalue()


def _taken(read: Picture) -> float | None:
    try:
        return datetime.strptime(read.taken, "%Y:%m:%d %H:%M:%S").timestamp() if read.taken else None
    except (ValueError, OverflowError, OSError):
        return None
