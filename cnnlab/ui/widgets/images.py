"""Conversion of images for a page: a grid of digits, enlarged pixels."""

from __future__ import annotations

import torch
from torch import Tensor

from cnnlab.charts.png import Picture
from cnnlab.data.splits import Split


def enlarged(image: Tensor, side: int = 224) -> Picture:
    """Enlarge (C, H, W) uint8 → (H·k, W·k, C) with whole, sharp pixels, about ``side`` high."""
    pixels = upright(image)
    factor = max(1, side // pixels.shape[0])
    return pixels.repeat(factor, 0).repeat(factor, 1)


def digit_wall(split: Split, rows: int = 6, columns: int = 10) -> Picture:
    """Arrange images with one class per column, dark on light: (rows · H, columns · W)."""
    images = split.images
    walls = [images[split.labels == label][:rows].flatten(0, 2) for label in range(columns)]  # (rows · H, W)
    return 255 - enlarged(torch.cat(walls, dim=1)[None], side=3 * len(walls[0]))[..., 0]


def upright(image: Tensor) -> Picture:
    """Move the channels last: (C, H, W) uint8 → (H, W, C)."""
    return image.permute(1, 2, 0).numpy()
