"""Example images: digits of the embedded sample, a small colour scene, smooth random maps; all in 0…1."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw
from torch import Tensor

from cnnlab.data.loading import load
from cnnlab.networks.layers import Shape

_FINE = 8  # the scene is rendered this many times larger, then smoothed
_COARSE = 7  # rows and columns of random numbers that a smooth map is interpolated from


@lru_cache(maxsize=20)
def digits(label: int, split: str = "train") -> Tensor:
    """Load all digits ``label`` of a split of the sample: (N, 1, 28, 28). Treat them as read-only."""
    part = getattr(load("mnist-sample"), split)
    images: Tensor = part.images[part.labels == label].float() / 255
    return images


@lru_cache(maxsize=8)
def scene(height: int = 32, width: int = 32) -> Tensor:
    """Render a house under the sun: (3, height, width)."""
    large = Image.new("RGB", (32 * _FINE, 32 * _FINE), (120, 185, 235))
    draw = ImageDraw.Draw(large)

    def at(*points: float) -> list[float]:
        return [point * _FINE for point in points]

    draw.rectangle(at(0, 23, 32, 32), fill=(70, 150, 60))
    draw.ellipse(at(22, 2, 30, 10), fill=(255, 215, 40))
    draw.rectangle(at(5, 14, 19, 27), fill=(225, 205, 175))
    draw.polygon(at(3, 14, 12, 5, 21, 14), fill=(200, 40, 35))
    draw.rectangle(at(8, 19, 12, 27), fill=(110, 65, 30))
    draw.rectangle(at(14, 17, 17, 20), fill=(40, 80, 160))
    draw.rectangle(at(25, 19, 27, 27), fill=(110, 65, 30))
    draw.ellipse(at(22, 12, 30, 21), fill=(25, 105, 45))
    small = large.resize((width, height), Image.Resampling.BOX if width <= 32 * _FINE else Image.Resampling.BILINEAR)
    return torch.from_numpy(np.array(small)).permute(2, 0, 1).float() / 255


def soft_maps(channels: int, height: int, width: int, seed: int = 0) -> Tensor:
    """Make seeded random feature maps (channels, height, width), for layers whose input is not an image."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, channels, _COARSE, _COARSE, generator=generator)
    return F.interpolate(coarse, (height, width), mode="bilinear", align_corners=True)[0]


def picture_of(shape: Shape) -> Tensor:
    """Choose an example of ``shape`` = (C, H, W): a digit, the scene, or random maps."""
    channels, height, width = shape
    if channels == 1:
        return F.interpolate(digits(2)[:1], (height, width), mode="bilinear", antialias=True)[0]
    return scene(height, width) if channels == 3 else soft_maps(channels, height, width)
