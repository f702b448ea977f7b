"""Augmentation on whole batches: random variants of training images, new in every epoch.

Images (N, C, H, W) are uint8, or numbers in 0…1. What only moves whole pixels returns bytes for bytes, of which a
processor copies four in the time of a number; everything else returns numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from math import radians

import torch
import torch.nn.functional as F
from torch import Tensor

from cnnlab.data.trivial_augment import trivial_augment

Augment = Callable[[Tensor, Tensor, tuple[str, ...], torch.Generator], Tensor]

DIGITS = tuple("0123456789")

_KNOWN_AT_ONCE = ("cpu",)  # devices whose results a program may look at without waiting for them
_WHOLE_FROM = 64  # pixels a side: from here on, to interpolate takes a CPU a fifth of a training and shows nothing


def choose(wanted: str, own: str) -> Augment:
    """Find the augmentation for a RunConfig's ``wanted`` and a data set's ``own``.

    "auto" is the data set's own. "mild" is the same, except that affine replaces handwriting: handwriting prepares
    for drawings on the canvas, affine gives the highest accuracy on the data set's own test images.
    """
    if wanted == "auto" or (wanted == "mild" and own != "handwriting"):
        return AUGMENTATIONS[own]
    return AUGMENTATIONS["affine" if wanted == "mild" else wanted]


def unit(pixels: Tensor) -> Tensor:
    """Convert bytes to new numbers in 0…1; numbers are returned as they are."""
    return pixels if pixels.is_floating_point() else pixels.float().div_(255)


def none(pixels: Tensor, labels: Tensor, classes: tuple[str, ...], draws: torch.Generator) -> Tensor:
    """Return the images as they are."""
    return pixels


def shift(pixels: Tensor, labels: Tensor, classes: tuple[str, ...], draws: torch.Generator) -> Tensor:
    """Move each image by up to 8 % of its side along each axis."""
    if _are_moved_whole(pixels):
        return _moved_whole(pixels, [False] * len(pixels), draws)
    return _warp(pixels, draws, rotation=0, scale=0, shear=0)


def flip(pixels: Tensor, labels: Tensor, classes: tuple[str, ...], draws: torch.Generator) -> Tensor:
    """Shift each image, and mirror every second one left to right: for things, not for characters."""
    mirrored = torch.rand(len(pixels), 1, 1, 1, generator=draws, device=pixels.device) < 0.5
    if _are_moved_whole(pixels):
        return _moved_whole(pixels, mirrored.flatten().tolist(), draws)
    return shift(torch.where(mirrored, pixels.flip(3), pixels), labels, classes, draws)


def erase(pixels: Tensor, labels: Tensor, classes: tuple[str, ...], draws: torch.Generator) -> Tensor:
    """Flip, then fill a rectangle of every second image with plain grey (Zhong et al. 2017, arXiv:1708.04896).

    Its sides are a tenth to half of the image's; its grey and position are random.
    """
    pixels = unit(flip(pixels, labels, classes, draws))
    count, _, height, width = pixels.shape

    def band(length: int) -> Tensor:
        """Mark where each rectangle lies along one axis: (N, length), True inside."""
        middle, half = _uniform(count, 0, length, draws), _uniform(count, 0.05 * length, 0.25 * length, draws)
        places = torch.arange(length, device=pixels.device) + 0.5
        return (places - middle[:, None]).abs() < half[:, None]

    chosen = torch.rand(count, 1, 1, generator=draws, device=draws.device) < 0.5
    erased = band(height)[:, :, None] & band(width)[:, None, :] & chosen  # (N, H, W)
    return torch.where(erased[:, None], _uniform(count, 0, 1, draws).view(-1, 1, 1, 1), pixels)


def trivial(pixels: Tensor, labels: Tensor, classes: tuple[str, ...], draws: torch.Generator) -> Tensor:
    """Flip, then one of 14 changes of shape or colour, in any strength: TrivialAugment, for photos."""
    return trivial_augment(unit(flip(pixels, labels, classes, draws)), draws)


def affine(pixels: Tensor, labels: Tensor, classes: tuple[str, ...], draws: torch.Generator) -> Tensor:
    """Shift each image, rotate it by up to 12°, scale it by up to 15 % per axis, shear it by up to 0.2."""
    return _warp(pixels, draws, rotation=12, scale=0.15, shear=0.2)


def handwriting(pixels: Tensor, labels: Tensor, classes: tuple[str, ...], draws: torch.Generator) -> Tensor:
    """Shift, rotate, scale, shear and bend each image a little, and vary the width of the pen.

    Redraw some digits as many people write them and MNIST's writers do not: slashed zeros, ones with an upstroke
    and a foot or lying down, fours of one stroke (the canvas predicts after each stroke), crossed sevens.
    """
    pixels = unit(pixels)
    if classes[:10] == DIGITS:
        pixels = pixels.clone()
        for digit, share, redraw in _HABITS:
            chosen = (labels == digit) & (torch.rand(len(labels), generator=draws, device=draws.device) < share)
            pixels = _redrawn(pixels, chosen, redraw, draws)
    return _thickened(_warp(pixels, draws, rotation=10, scale=0.2, shear=0.2, bend=0.8), draws)


AUGMENTATIONS: dict[str, Augment] = {
    "none": none,
    "shift": shift,
    "flip": flip,
    "erase": erase,
    "trivial": trivial,
    "affine": affine,
    "handwriting": handwriting,
}


def _warp(
    pixels: Tensor, draws: torch.Generator, rotation: float, scale: float, shear: float, bend: float = 0
) -> Tensor:
    """Warp each image by a random map of its own that shifts it by up to 8 % of its side; ``rotation`` is in degrees.

    ``bend`` is the standard deviation of a smooth random displacement, in MNIST's pixels (Simard et al. 2003).
    """
    pixels, count = unit(pixels), len(pixels)
    angle = _uniform(count, -radians(rotation), radians(rotation), draws)
    sin, cos = angle.sin(), angle.cos()
    across, down = (1 + _uniform(count, -scale, scale, draws) for _ in range(2))
    slant = _uniform(count, -shear, shear, draws)
    # Coordinates run from −1 to 1, so a share of the side counts twice.
    right, low = (_uniform(count, -0.16, 0.16, draws) for _ in range(2))
    height, width = pixels.shape[2:]
    x, y = _places(width, pixels), _places(height, pixels)[:, None]  # (W,), (H, 1)
    columns = _each(across * cos) * x + _each(right) + _each(slant - sin) * y  # (N, H, W): where each pixel comes from
    rows = _each(sin) * x + _each(low) + _each(down * cos) * y
    if bend:
        knots = torch.randn(count, 2, 25, generator=draws, device=draws.device) * bend * 2 / 28
        # Interpolation between 5×5 knots is linear, and one matrix product for all images is the fastest way.
        units = torch.eye(25, device=draws.device).view(25, 1, 5, 5)
        surfaces = F.interpolate(units, (height, width), mode="bilinear", align_corners=True).view(25, -1)
        bends = (knots.view(-1, 25) @ surfaces).view(count, 2, height, width)
        columns, rows = columns + bends[:, 0], rows + bends[:, 1]
    grid = torch.stack([columns, rows], -1)  # (N, H, W, 2)
    return F.grid_sample(pixels, grid, padding_mode="border", align_corners=False)


def _are_moved_whole(pixels: Tensor) -> bool:
    """Tell whether images are large enough to be moved by whole pixels, where that is faster."""
    return min(pixels.shape[2:]) >= _WHOLE_FROM and pixels.device.type in _KNOWN_AT_ONCE


def _moved_whole(pixels: Tensor, mirrored: list[bool], draws: torch.Generator) -> Tensor:
    """Move each image by up to 8 % of its side, in whole pixels, and mirror some; the border's pixels are repeated."""
    count, _, height, width = pixels.shape
    low, right = (round(0.08 * side) for side in (height, width))  # at the most
    tops, lefts = (torch.randint(2 * most + 1, (count,), generator=draws).tolist() for most in (low, right))
    padded = F.pad(pixels, (right, right, low, low), mode="replicate")  # (N, C, H + 2·low, W + 2·right)
    moved = torch.empty_like(pixels)
    # NumPy's views cost less than tensors.
    for image, source, top, left, is_mirrored in zip(moved.numpy(), padded.numpy(), tops, lefts, mirrored, strict=True):
        window = source[:, top : top + height, left : left + width]
        image[:] = window[:, :, ::-1] if is_mirrored else window
    return moved


def _redrawn(
    pixels: Tensor, chosen: Tensor, redraw: Callable[[Tensor, torch.Generator], Tensor], draws: torch.Generator
) -> Tensor:
    """Redraw the ``chosen`` (N,) images, in place on a CPU; elsewhere redraw all, as counting would mean waiting."""
    if pixels.device.type not in _KNOWN_AT_ONCE:
        return torch.where(chosen.view(-1, 1, 1, 1), redraw(pixels, draws), pixels)
    if chosen.any():
        pixels[chosen] = redraw(pixels[chosen], draws)
    return pixels


def _thickened(pixels: Tensor, draws: torch.Generator) -> Tensor:
    """Make strokes up to 30 % thinner or 50 % thicker, by blending with 3×3 erosion or dilation."""
    amount = _uniform(len(pixels), -0.3, 0.5, draws).view(-1, 1, 1, 1)
    signed = pixels * amount.sign()  # to erode ink is to dilate its negative
    rows = F.pad(signed, (0, 0, 1, 1)).unfold(2, 3, 1).amax(-1)
    dilated = F.pad(rows, (1, 1)).unfold(3, 3, 1).amax(-1)
    return signed.lerp(dilated, amount.abs()) * amount.sign()


def _slashed(zeros: Tensor, draws: torch.Generator) -> Tensor:
    """Add a slash through the middle, from level to a little past upright, often beyond the loop."""
    count, side = len(zeros), zeros.shape[-1]
    unit = side / 28  # lengths below are in MNIST's pixels
    middle = side / 2 + _points(count, (-2, 2), (-2, 2), draws) * unit
    half = _polar(_uniform(count, 6, 13, draws) * unit, _uniform(count, 0, 110, draws))
    return _stroke(zeros, middle - half, middle + half, _uniform(count, 0.4, 1.2, draws) * unit)


def _crossed(sevens: Tensor, draws: torch.Generator) -> Tensor:
    """Add a short bar across the stem."""
    count, side = len(sevens), sevens.shape[-1]
    unit = side / 28
    middle = side / 2 + _points(count, (-1, 2), (-1, 3), draws) * unit
    half = _polar(_uniform(count, 3, 6, draws) * unit, _uniform(count, -8, 18, draws))
    return _stroke(sevens, middle - half, middle + half, _uniform(count, 0.4, 1.1, draws) * unit)


def _serifed(ones: Tensor, draws: torch.Generator) -> Tensor:
    """Replace ones by a stem, mostly with an upstroke to its top, sometimes with a foot."""
    count, side = len(ones), ones.shape[-1]
    unit = side / 28
    width = _uniform(count, 0.8, 1.5, draws) * unit
    half = _polar(_uniform(count, 7.5, 10, draws) * unit, _uniform(count, 60, 102, draws))
    middle = side / 2 + _points(count, (-1, 3), (-1, 1), draws) * unit
    top, bottom = middle + half, middle - half
    drawn = _stroke(torch.zeros_like(ones), top, bottom, width)
    # The upstroke meets the stem in a point or, by a knee beside its top, in a curve.
    joint = top - half * _uniform(count, -0.5, 0.6, draws).clamp_min(0)[:, None]
    knee = joint + _points(count, (-1.5, 0), (-0.5, 0.3), draws) * unit
    flag = knee + _polar(_uniform(count, 3, 11, draws) * unit, _uniform(count, 195, 248, draws))
    upstroke = _stroke(_stroke(drawn, joint, knee, width), knee, flag, width)
    hook = flag + _polar(_uniform(count, 1, 4, draws) * unit, _uniform(count, 240, 300, draws))
    upstroke = _sometimes(upstroke, _stroke(upstroke, flag, hook, width), 0.4, draws)
    drawn = _sometimes(drawn, upstroke, 0.9, draws)
    tilt = _uniform(count, -10, 20, draws)
    left, right = (_polar(_uniform(count, reach, 11, draws) * unit, tilt + turn) for reach, turn in ((3, 180), (-1, 0)))
    raised = bottom + half * _uniform(count, -0.35, 0.35, draws).clamp_min(0)[:, None]
    return _sometimes(drawn, _stroke(drawn, raised + left, raised + right, width), 0.6, draws)


def _lying(ones: Tensor, draws: torch.Generator) -> Tensor:
    """Replace ones by a plain bar in any direction: no other digit is a plain bar."""
    count, side = len(ones), ones.shape[-1]
    unit = side / 28
    half = _polar(_uniform(count, 7.5, 10, draws) * unit, _uniform(count, 0, 180, draws))
    middle = torch.full((count, 2), side / 2, device=ones.device)
    return _stroke(torch.zeros_like(ones), middle - half, middle + half, _uniform(count, 0.8, 1.5, draws) * unit)


def _begun(fours: Tensor, draws: torch.Generator) -> Tensor:
    """Replace fours by their first stroke alone: down to the left, to the right, sometimes up again."""
    count, side = len(fours), fours.shape[-1]
    unit = side / 28
    width = _uniform(count, 0.8, 1.5, draws) * unit
    top = side / 2 + _points(count, (-3, 3), (-10, -7), draws) * unit
    corner = side / 2 + _points(count, (-8, -4), (4, 9), draws) * unit
    right = side / 2 + _points(count, (3, 9), (3, 9), draws) * unit
    rise = right + _polar(_uniform(count, 8, 15, draws) * unit, _uniform(count, 75, 110, draws))
    drawn = _stroke(_stroke(torch.zeros_like(fours), top, corner, width), corner, right, width)
    return _sometimes(drawn, _stroke(drawn, right, rise, width), 0.5, draws)


def _stroke(pixels: Tensor, start: Tensor, end: Tensor, width: Tensor) -> Tensor:
    """Draw a round-ended line on each image; points (N, 2) as (x, y) in pixels, ``width`` (N,) from its middle."""
    side = torch.arange(pixels.shape[-1], device=pixels.device, dtype=pixels.dtype) + 0.5
    across, down = (end - start).view(-1, 2, 1, 1).unbind(1)  # (N, 1, 1) each
    x = side.view(1, 1, -1) - _each(start[:, 0])  # (N, 1, W)
    y = side.view(1, -1, 1) - _each(start[:, 1])  # (N, H, 1)
    length = (across.square() + down.square()).clamp_min(1e-6)
    share = (x * (across / length) + y * (down / length)).clamp_(0, 1)  # (N, H, W), of the way along the line
    distance = (x - share * across).square_().add_((y - share * down).square_()).sqrt_()
    ink = (_each(width) + 0.5 - distance).clamp_(0, 1)
    return torch.maximum(pixels, ink[:, None])


def _places(length: int, pixels: Tensor) -> Tensor:
    """Return the centres of the pixels along one axis, from −1 to 1, as grid_sample counts them."""
    return (torch.arange(length, device=pixels.device, dtype=pixels.dtype) + 0.5) * (2 / length) - 1


def _each(values: Tensor) -> Tensor:
    """Reshape one value an image for broadcasting: (N,) → (N, 1, 1)."""
    return values.view(-1, 1, 1)


def _sometimes(plain: Tensor, changed: Tensor, share: float, draws: torch.Generator) -> Tensor:
    return torch.where(torch.rand(len(plain), 1, 1, 1, generator=draws, device=draws.device) < share, changed, plain)


def _uniform(count: int, low: float, high: float, draws: torch.Generator) -> Tensor:
    return torch.rand(count, generator=draws, device=draws.device) * (high - low) + low


def _points(count: int, x: tuple[float, float], y: tuple[float, float], draws: torch.Generator) -> Tensor:
    return torch.stack([_uniform(count, *x, draws), _uniform(count, *y, draws)], 1)


def _polar(length: Tensor, degrees: Tensor) -> Tensor:
    """Convert to (N, 2) as (x, y), y pointing down; 0° is to the right, 90° up."""
    angle = degrees * (torch.pi / 180)
    return torch.stack([length * angle.cos(), -length * angle.sin()], 1)


# What handwriting redraws: the digit, the share of its images, how.
_HABITS = (
    (0, 0.5, _slashed),
    (1, 0.65, _serifed),
    (1, 0.05, _lying),
    (4, 0.08, _begun),
    (7, 0.3, _crossed),
)
