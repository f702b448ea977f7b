"""Corrupted images: noise, blur, rotation, shift and brightness in five strengths, to test robustness.

After the idea of Hendrycks and Dietterich 2019 (arXiv:1903.12261); strengths are our own, for small images.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import pandas as pd
import torch
from torch import Tensor

from cnnlab.data.splits import Split, sampled
from cnnlab.data.torchvision_compat import transforms
from cnnlab.evaluation.evaluate import evaluation_batch
from cnnlab.evaluation.metrics import Answers, interval

STRENGTHS = (1, 2, 3, 4, 5)
IMAGES, FEWEST = 500, 100  # fewer of large ones: all corruptions take 26 passes
NUMBERS = 12_000_000  # in the images

_f = transforms.functional
_BILINEAR = transforms.InterpolationMode.BILINEAR


def corrupted(images: Tensor, corruption: str, strength: int, seed: int = 0) -> Tensor:
    """Corrupt images (N, C, H, W) uint8. Strength 0 changes nothing; the same seed gives the same noise.

    Raises KeyError for an unknown corruption.
    """
    if not strength:
        return images
    draws = torch.Generator().manual_seed(seed)
    parts = (
        (CORRUPTIONS[corruption](part.float() / 255, strength, draws).clamp(0, 1) * 255).round().to(torch.uint8)
        for part in images.split(max(1, evaluation_batch(images.shape[1:]) // 2) * 2)  # even, for the two ways to turn
    )
    return torch.cat(list(parts))


def _noise(pixels: Tensor, strength: int, draws: torch.Generator) -> Tensor:
    """Add Gaussian noise, its standard deviation 8 % of the range per strength."""
    return pixels + torch.randn(pixels.shape, generator=draws) * 0.08 * strength


def _blur(pixels: Tensor, strength: int, draws: torch.Generator) -> Tensor:
    """Blur with a Gaussian, its standard deviation 1.5 % of the image's side per strength."""
    sigma = 0.015 * strength * pixels.shape[-1]
    size = 2 * round(3 * sigma) + 1
    blurred: Tensor = _f.gaussian_blur(pixels, [max(3, size)] * 2, [sigma] * 2)
    return blurred


def _rotation(pixels: Tensor, strength: int, draws: torch.Generator) -> Tensor:
    """Rotate by 9° per strength, one half of the images each way."""
    angle = 9.0 * strength
    left = torch.arange(len(pixels)) % 2 == 0
    turned = [_f.rotate(pixels, sign * angle, _BILINEAR) for sign in (1, -1)]
    return torch.where(left[:, None, None, None], turned[0], turned[1])


def _shift(pixels: Tensor, strength: int, draws: torch.Generator) -> Tensor:
    """Shift by 4 % of the side per strength, each image in its own direction; fill with black."""
    reach = max(1, round(0.04 * strength * pixels.shape[-1]))
    ways = [(0, reach), (0, -reach), (reach, 0), (-reach, 0)]
    moved = torch.stack([_f.affine(pixels, 0.0, list(way), 1.0, [0.0]) for way in ways])  # (4, N, C, H, W)
    directions = torch.randint(0, 4, (len(pixels),), generator=draws)
    return moved[directions, torch.arange(len(pixels))]


def _brightness(pixels: Tensor, strength: int, draws: torch.Generator) -> Tensor:
    """Darken by 15 % per strength."""
    return pixels * (1 - 0.15 * strength)


CORRUPTIONS: dict[str, Callable[[Tensor, int, torch.Generator], Tensor]] = {
    "noise": _noise,
    "blur": _blur,
    "rotation": _rotation,
    "shift": _shift,
    "brightness": _brightness,
}


def robustness(answers: Callable[[Split], Answers], test: Split) -> pd.DataFrame:
    """Make one row per corruption and strength: accuracy with its interval on a stratified subset."""
    split = sampled(test, max(FEWEST, min(IMAGES, NUMBERS // prod(test.shape))))
    rows = []
    for kind in CORRUPTIONS:
        for strength in (0, *STRENGTHS):
            worse = Split(corrupted(split.images, kind, strength), split.labels)
            hits = int(answers(worse).hits.sum())
            low, high = interval(hits, len(split))
            rows.append(
                {
                    "corruption": kind,
                    "strength": strength,
                    "accuracy": hits / len(split),
                    "low": low,
                    "high": high,
                    "images": len(split),
                }
            )
    return pd.DataFrame(rows)
