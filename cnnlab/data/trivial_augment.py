"""TrivialAugment: one random change of random strength for each image (Müller and Hutter 2021, arXiv:2103.10158)."""

from __future__ import annotations

from math import radians

import torch
import torch.nn.functional as F
from torch import Tensor

SHEAR = 0.99  # strengths of the paper's "wide" space, at the most
ROTATION = radians(135)
TRANSLATION = 10 / 32 * 2  # of the side, which counts 2: RandAugment's for CIFAR; the paper's 32 px would leave nothing
BLEND = 0.99  # of brightness, colour, contrast and sharpness
GREY = (0.299, 0.587, 0.114)  # shares of red, green and blue in the brightness (ITU-R BT.601)


def trivial_augment(pixels: Tensor, draws: torch.Generator) -> Tensor:
    """Change each image (N, C, H, W) in 0…1 by one of ``CHANGES``, each equally likely, with any strength.

    Each change gets as many images, so that no device has to be waited for; black ones fill up the last places.
    """
    each = -(-len(pixels) // len(CHANGES))
    changed = pixels.new_zeros(each * len(CHANGES), *pixels.shape[1:])
    changed[: len(pixels)] = pixels
    strength = torch.rand(len(changed), generator=draws, device=pixels.device) * 2 - 1
    order = torch.randperm(len(changed), generator=draws, device=pixels.device)
    for change, chosen in zip(CHANGES, order.split(each), strict=True):
        changed[chosen] = change(changed[chosen], strength[chosen])
    return changed[: len(pixels)]


def _identity(pixels: Tensor, strength: Tensor) -> Tensor:
    return pixels


def _shear_x(pixels: Tensor, strength: Tensor) -> Tensor:
    return _moved(pixels, xy=SHEAR * strength)


def _shear_y(pixels: Tensor, strength: Tensor) -> Tensor:
    return _moved(pixels, yx=SHEAR * strength)


def _translate_x(pixels: Tensor, strength: Tensor) -> Tensor:
    return _moved(pixels, x=TRANSLATION * strength)


def _translate_y(pixels: Tensor, strength: Tensor) -> Tensor:
    return _moved(pixels, y=TRANSLATION * strength)


def _rotate(pixels: Tensor, strength: Tensor) -> Tensor:
    sin, cos = (ROTATION * strength).sin(), (ROTATION * strength).cos()
    return _moved(pixels, xx=cos, xy=-sin, yx=sin, yy=cos)


def _moved(pixels: Tensor, **entries: Tensor) -> Tensor:
    """Map each image by a matrix that has ``entries`` (N,), and those of the identity elsewhere; fill with black."""
    one = torch.ones(len(pixels), device=pixels.device)
    plain = {"xx": one, "xy": 0 * one, "x": 0 * one, "yx": 0 * one, "yy": one, "y": 0 * one}
    matrix = torch.stack(list((plain | entries).values()), 1).view(-1, 2, 3)
    grid = F.affine_grid(matrix, list(pixels.shape), align_corners=False)  # (N, H, W, 2)
    return F.grid_sample(pixels, grid, align_corners=False)


def _brightness(pixels: Tensor, strength: Tensor) -> Tensor:
    return _blended(pixels, torch.zeros_like(pixels), strength)


def _colour(pixels: Tensor, strength: Tensor) -> Tensor:
    return _blended(pixels, _grey(pixels), strength)


def _contrast(pixels: Tensor, strength: Tensor) -> Tensor:
    return _blended(pixels, _grey(pixels).mean((1, 2, 3), keepdim=True), strength)


def _sharpness(pixels: Tensor, strength: Tensor) -> Tensor:
    """Blend with a smoothed image; its rim stays as it is."""
    channels = pixels.shape[1]
    kernel = torch.ones(channels, 1, 3, 3, device=pixels.device)
    kernel[:, :, 1, 1] = 5
    smooth = pixels.clone()
    smooth[:, :, 1:-1, 1:-1] = F.conv2d(pixels, kernel / 13, groups=channels)
    return _blended(pixels, smooth, strength)


def _blended(pixels: Tensor, dull: Tensor, strength: Tensor) -> Tensor:
    """Move each image towards its ``dull`` version, or as far away from it, by up to BLEND of the way."""
    return (dull + (pixels - dull) * _per_image(1 + BLEND * strength)).clamp(0, 1)


def _grey(pixels: Tensor) -> Tensor:
    """Return the brightness: (N, C, H, W) → (N, 1, H, W)."""
    if pixels.shape[1] != len(GREY):
        return pixels.mean(1, keepdim=True)
    return (pixels * torch.tensor(GREY, device=pixels.device).view(-1, 1, 1)).sum(1, keepdim=True)


def _posterize(pixels: Tensor, strength: Tensor) -> Tensor:
    """Leave 2 to 8 bits of each number."""
    step = _per_image(2 ** (6 * strength.abs()).round()) / 256
    return (pixels / step).floor() * step


def _solarize(pixels: Tensor, strength: Tensor) -> Tensor:
    """Invert what is brighter than a threshold."""
    return torch.where(pixels > _per_image(1 - strength.abs()), 1 - pixels, pixels)


def _autocontrast(pixels: Tensor, strength: Tensor) -> Tensor:
    """Stretch each channel to 0…1."""
    low, high = pixels.amin((2, 3), keepdim=True), pixels.amax((2, 3), keepdim=True)
    return torch.where(high > low, (pixels - low) / (high - low).clamp_min(1e-6), pixels)


def _equalize(pixels: Tensor, strength: Tensor) -> Tensor:
    """Make all brightnesses of a channel equally frequent: each becomes the share of pixels that are darker."""
    levels = (pixels * 255).round().flatten(2)  # (N, C, H, W) → (N, C, H · W)
    darker = torch.searchsorted(levels.sort(2).values, levels)
    return (darker / darker.amax(2, keepdim=True).clamp_min(1)).view(pixels.shape)


def _per_image(values: Tensor) -> Tensor:
    """Reshape one value an image for broadcasting: (N,) → (N, 1, 1, 1)."""
    return values.view(-1, 1, 1, 1)


# Each maps images (N, C, H, W) in 0…1 and strengths (N,) in −1…1 to images.
CHANGES = (
    *(_identity, _shear_x, _shear_y, _translate_x, _translate_y, _rotate),
    *(_brightness, _colour, _contrast, _sharpness),
    *(_posterize, _solarize, _autocontrast, _equalize),
)
