"""Augmentation on whole batches: random variants of training images, drawn anew each time."""

from __future__ import annotations

from collections.abc import Callable
from math import radians

import torch
import torch.nn.functional as F
from torch import Tensor

Augment = Callable[[Tensor, Tensor, tuple[str, ...], torch.Generator], Tensor]


def none(pixels: Tensor, labels: Tensor, classes: tuple[str, ...], draws: torch.Generator) -> Tensor:
    """The images as they are."""
    return pixels


def shift(pixels: Tensor, labels: Tensor, classes: tuple[str, ...], draws: torch.Generator) -> Tensor:
    """Moved by up to 8 % of the image along each axis."""
    return _warp(pixels, draws, rotation=0, scale=0, shear=0)


def flip(pixels: Tensor, labels: Tensor, classes: tuple[str, ...], draws: torch.Generator) -> Tensor:
    """Shifted, and every second one mirrored left to right: for things, not for characters."""
    mirrored = torch.rand(len(pixels), 1, 1, 1, generator=draws, device=pixels.device) < 0.5
    return shift(torch.where(mirrored, pixels.flip(3), pixels), labels, classes, draws)


def affine(pixels: Tensor, labels: Tensor, classes: tuple[str, ...], draws: torch.Generator) -> Tensor:
    """Moved, turned by up to 12°, scaled by up to 15 % per axis, sheared by up to 0.2."""
    return _warp(pixels, draws, rotation=12, scale=0.15, shear=0.2)


def _uniform(count: int, low: float, high: float, draws: torch.Generator) -> Tensor:
    return torch.rand(count, generator=draws, device=draws.device) * (high - low) + low


def _warp(
    pixels: Tensor, draws: torch.Generator, rotation: float, scale: float, shear: float, shift: float = 0.08
) -> Tensor:
    """Random affine maps, one an image; ``rotation`` in degrees, ``shift`` as a share of the image's side."""
    count = len(pixels)
    angle = _uniform(count, -radians(rotation), radians(rotation), draws)
    sin, cos = angle.sin(), angle.cos()
    across, down = (1 + _uniform(count, -scale, scale, draws) for _ in range(2))
    slant = _uniform(count, -shear, shear, draws)
    # affine_grid's coordinates run from −1 to 1, so a share of the side counts twice.
    move = (_uniform(count, -2 * shift, 2 * shift, draws) for _ in range(2))
    rows = [torch.stack([across * cos, slant - sin, next(move)], 1), torch.stack([sin, down * cos, next(move)], 1)]
    grid = F.affine_grid(torch.stack(rows, 1), list(pixels.shape), align_corners=False)  # (N, H, W, 2)
    return F.grid_sample(pixels, grid, padding_mode="border", align_corners=False)


AUGMENTATIONS: dict[str, Augment] = {
    "none": none,
    "shift": shift,
    "flip": flip,
    "affine": affine,
    "handwriting": affine,
}
