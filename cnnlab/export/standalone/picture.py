"""Picture files as three channels of rows: PNG without any library, others where Pillow is installed."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from cnnlab.export.standalone.paper import Colour
from cnnlab.export.standalone.resizing import Rows

MAX_BYTES = 50_000_000
MAX_PIXELS = 4096 * 4096
WHITES = (1, 255, 4095, 65535)  # of floats, of 8, 12 and 16 bits
MIDDLE = 127  # between dark and light
SIGNATURE = b"\x89PNG\r\n\x1a\n"
NUMBERS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of a pixel, by a PNG's kind of colour


class PictureError(ValueError):
    """A file that is no picture that can be read; the message says why and what to do."""


def read_picture(content: bytes) -> Colour:
    """Read a picture as red, green and blue, upright and opaque. Raises PictureError."""
    if len(content) > MAX_BYTES:
        raise PictureError(f"the file is larger than {MAX_BYTES // 1_000_000} MB")
    try:
        if content.startswith(SIGNATURE) and (picture := _png(content)):
            return picture
    except PictureError:
        raise
    except (struct.error, zlib.error, LookupError, ValueError) as error:
        raise PictureError("the PNG is damaged: save it again") from error
    return _by_pillow(content)


def _by_pillow(content: bytes) -> Colour:
    try:
        from PIL import Image, ImageOps  # noqa: PLC0415
    except ImportError as error:
        raise PictureError("save it as a PNG of 8 bits without transparency, or pip install pillow") from error
    try:
        with Image.open(BytesIO(content)) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise PictureError(f"the picture has {opened.width}×{opened.height} pixels: make it smaller")
            image = ImageOps.exif_transpose(opened)
            if image.mode.startswith(("I", "F")):
                image = _in_8_bits(image)
            if image.has_transparency_data:
                image = image.convert("RGBA")
                image = Image.alpha_composite(Image.new("RGBA", image.size, _ground(image)), image)
            bands = image.convert("RGB").split()
    except PictureError:
        raise
    except Exception as error:  # what decodes strangers' files raises anything
        raise PictureError("the file is no picture that can be read, or far too large") from error
    return [_rows(list(band.tobytes()), band.width) for band in bands]


def _in_8_bits(image: Any) -> Any:
    """Scale greys of 16 bits or floats to 0…255."""
    darkest, lightest = image.getextrema()
    fitting = ((0, white) for white in WHITES if darkest >= 0 and lightest <= white)
    black, white = next(fitting, (darkest, lightest))
    tones = image if image.mode == "F" else image.convert("I").convert("F")
    scale = 255 / ((white - black) or 1)
    return tones.point(lambda tone: tone * scale + (0.5 - black * scale)).convert("L")


def _ground(image: Any) -> str:
    """Return the colour behind an RGBA picture with which what is seen of it contrasts."""
    light, opacity = (band.tobytes() for band in image.convert("LA").split())
    most = max(opacity)
    seen = sorted(tone for tone, alpha in zip(light, opacity, strict=True) if alpha > most / 2)
    return "black" if seen and seen[len(seen) // 2] > MIDDLE else "white"


def _rows(numbers: list[int], width: int) -> Rows:
    return [numbers[start : start + width] for start in range(0, len(numbers), width)]


def _png(content: bytes) -> Colour | None:
    """Decode a PNG of 8 bits that is opaque, upright and not interlaced; None for the rarer kinds."""
    chunks = list(_chunks(content))
    width, height, bits, kind, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[0][1])
    if bits != 8 or interlaced or any(name in (b"tRNS", b"eXIf") for name, _ in chunks):
        return None
    if width * height > MAX_PIXELS:
        raise PictureError(f"the picture has {width}×{height} pixels: make it smaller")
    if not width * height:
        raise PictureError("the PNG is damaged: save it again")
    channels = NUMBERS[kind]
    stride = 1 + width * channels
    packed = b"".join(data for name, data in chunks if name == b"IDAT")
    lines = zlib.decompressobj().decompress(packed, stride * height)
    if len(lines) < stride * height:
        raise PictureError("the PNG ends too early: save it again")
    pixels = list(_unfiltered(lines, stride, channels))  # rows of width × channels numbers
    if kind in (4, 6) and any(alpha != 255 for row in pixels for alpha in row[channels - 1 :: channels]):
        return None
    if kind == 3:
        palette = dict(chunks)[b"PLTE"]
        return [[[palette[3 * index + channel] for index in row] for row in pixels] for channel in range(3)]
    places = range(3) if channels > 2 else (0, 0, 0)
    return [[list(row[place::channels]) for row in pixels] for place in places]


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(SIGNATURE)
    while at < len(content):
        length, name = struct.unpack(">I4s", content[at : at + 8])
        yield name, content[at + 8 : at + 8 + length]
        at += length + 12


def _unfiltered(lines: bytes, stride: int, channels: int) -> Iterator[bytearray]:
    """Undo what PNG does to each line so that it packs better."""
    above = bytearray(stride - 1)
    for start in range(0, len(lines), stride):
        how, row = lines[start], bytearray(lines[start + 1 : start + stride])
        for at in range(len(row)):
            left = row[at - channels] if at >= channels else 0
            corner = above[at - channels] if at >= channels else 0
            row[at] = (row[at] + _predicted(how, left, above[at], corner)) & 255
        yield row
        above = row


def _predicted(how: int, left: int, above: int, corner: int) -> int:
    match how:
        case 0:
            return 0
        case 1:
            return left
        case 2:
            return above
        case 3:
            return (left + above) // 2
        case 4:
            guess = left + above - corner
            nearest = min((abs(guess - left), 0), (abs(guess - above), 1), (abs(guess - corner), 2))[1]
            return (left, above, corner)[nearest]
        case _:
            raise PictureError("the PNG is damaged: save it again")
