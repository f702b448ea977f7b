"""Pictures that a browser sends from its camera: bounded, then read as any other picture."""

from __future__ import annotations

import binascii
from base64 import b64decode

from PIL import Image

from cnnlab.drawings.images import picture_size, read_picture
from cnnlab.drawings.strokes import DrawingError

FRAME_SIDE = 224  # pixels of the squares that are recorded
MAX_FRAME_BYTES = 200_000  # one of them has some 10 kB as JPEG
MAX_FRAME_SIDE = 640  # pixels


def frame_bytes(text: object) -> bytes:
    """Decode a camera picture's base64 ``text`` to the bytes of its file. Raises DrawingError where it is none."""
    if not isinstance(text, str):
        raise DrawingError("the browser sent what is no picture")
    if len(text) > MAX_FRAME_BYTES * 4 // 3 + 4:  # base64 takes 4 letters for 3 bytes
        raise DrawingError(f"a picture of the camera has more than {MAX_FRAME_BYTES // 1_000} kB")
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise DrawingError("the browser sent what is no picture") from error


def read_frame(content: bytes) -> Image.Image:
    """Read a camera picture's file as RGB. Raises DrawingError where it is none or larger than cameras send here."""
    if max(picture_size(content)) > MAX_FRAME_SIDE:
        raise DrawingError(f"a picture of the camera is larger than {MAX_FRAME_SIDE}×{MAX_FRAME_SIDE} pixels")
    return read_picture(content)
