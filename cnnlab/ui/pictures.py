"""Images on a page: the wall of digits, enlarged pixels."""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from cnnlab.data import Split

Picture = npt.NDArray[np.uint8]


def enlarged(image: Tensor, side: int = 224) -> Picture:
    """(C, H, W) uint8 → (H·k, W·k, C) with whole, sharp pixels, about ``side`` high."""
    pixels = upright(image)
    factor = max(1, side // pixels.shape[0])
    return pixels.repeat(factor, 0).repeat(factor, 1)


def digit_wall(split: Split, rows: int = 6, columns: int = 10) -> Picture:
    """One class a column, dark on light: (rows · H, columns · W)."""
    walls = [split.images[split.labels == label][:rows].flatten(0, 2) for label in range(columns)]  # (rows · H, W)
    return 255 - enlarged(torch.cat(walls, dim=1)[None], side=3 * len(walls[0]))[..., 0]


def upright(image: Tensor) -> Picture:
    """(C, H, W) uint8 → (H, W, C)."""
    return image.permute(1, 2, 0).numpy()


def png(pixels: Picture) -> bytes:
    """(H, W, C) → a PNG file's content."""
    buffer = BytesIO()
    Image.fromarray(pixels.squeeze(-1) if pixels.shape[-1] == 1 else pixels).save(buffer, "PNG")
    return buffer.getvalue()


def inline(pixels: Picture) -> str:
    """A small picture as a URL that holds it.

    One that is fetched from the server may be gone, if the page has moved on, before the browser asks for it.
    """
    return f"data:image/png;base64,{b64encode(png(pixels)).decode()}"
