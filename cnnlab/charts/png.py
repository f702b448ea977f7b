"""Pixels as PNG: a file's content, or a URL that holds it."""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image

Picture = npt.NDArray[np.uint8]


def png(pixels: Picture) -> bytes:
    """Encode pixels (H, W, C) as PNG."""
    buffer = BytesIO()
    Image.fromarray(pixels.squeeze(-1) if pixels.shape[-1] == 1 else pixels).save(buffer, "PNG")
    return buffer.getvalue()


def inline(pixels: Picture) -> str:
    """Encode a small picture as a data URL.

    A picture on the server may be gone, if the page has moved on, before the browser fetches it.
    """
    return f"data:image/png;base64,{b64encode(png(pixels)).decode()}"


def inline_photo(pixels: Picture) -> str:
    """Encode a photo (H, W, 3) as a data URL of a JPEG, a tenth as long as a PNG."""
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=85)
    return jpeg_url(buffer.getvalue())


def jpeg_url(content: bytes) -> str:
    """Return the data URL of a JPEG file's content."""
    return f"data:image/jpeg;base64,{b64encode(content).decode()}"
