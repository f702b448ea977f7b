"""Named 3×3 filters, and how well one number computed from a feature map separates two digits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

Rows = tuple[tuple[float, float, float], ...]

_NINTH = 1 / 9


@dataclass(frozen=True)
class Filter:
    """A named filter: nine weights and what they do."""

    title: str
    rows: Rows
    about: str

    @property
    def kernel(self) -> Tensor:
        """The weights as a tensor (3, 3)."""
        return torch.tensor(self.rows)


FILTERS: dict[str, Filter] = {
    "vertical": Filter(
        "Vertical edge",
        ((-1.0, 0.0, 1.0),) * 3,
        "Right minus left: large where the image gets brighter to the right, negative where darker, zero where even.",
    ),
    "horizontal": Filter(
        "Horizontal edge",
        ((-1.0, -1.0, -1.0), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
        "Below minus above: it responds to horizontal strokes and not to vertical ones.",
    ),
    "blur": Filter("Blur", ((_NINTH,) * 3,) * 3, "The mean of nine pixels: it smooths fine details away."),
    "sharpen": Filter(
        "Sharpen",
        ((0.0, -1.0, 0.0), (-1.0, 5.0, -1.0), (0.0, -1.0, 0.0)),
        "Five times the pixel minus its four neighbours: it increases differences.",
    ),
    "emboss": Filter(
        "Emboss",
        ((-2.0, -1.0, 0.0), (-1.0, 1.0, 1.0), (0.0, 1.0, 2.0)),
        "The picture plus its slope from top left to bottom right: it looks lit from one side.",
    ),
}

_AXES = (1, 2, 3)
MEASURES: dict[str, Callable[[Tensor], Tensor]] = {  # (N, 1, rows, columns) → (N,)
    "mean": lambda answers: answers.abs().mean(_AXES),
    "strongest": lambda answers: answers.abs().amax(_AXES),
}


@dataclass(frozen=True)
class Parting:
    """A threshold on one number that separates two digits: one lies below it, the other above."""

    threshold: float
    first_is_below: bool
    right: int  # count of correct ones among the images that the threshold was fitted on
    count: int

    def hits(self, first: Tensor, second: Tensor) -> int:
        """Count the numbers of the first and the second digit that lie on the correct side."""
        below = int((first < self.threshold).sum()), int((second < self.threshold).sum())
        mistaken = below[1] + len(first) - below[0]
        return len(first) + len(second) - mistaken if self.first_is_below else mistaken


def answers(images: Tensor, kernel: Tensor, rectified: bool = False) -> Tensor:
    """Filter images (N, C, H, W) in 0…1 with a kernel (C, height, width): feature maps (N, 1, rows, columns)."""
    maps = F.conv2d(images, kernel[None])
    return maps.relu() if rectified else maps


def fitted(kernel: Tensor, channels: int) -> Tensor:
    """Adapt a kernel (height, width) or (C, height, width) to images of ``channels``.

    A grey kernel is applied to every channel alike; a colour kernel reads grey as three equal channels.
    """
    planes = kernel if kernel.dim() == 3 else kernel[None]
    return planes if len(planes) == channels else planes.sum(0, keepdim=True).expand(channels, -1, -1)


def part(first: Tensor, second: Tensor) -> Parting:
    """Find the threshold that puts most of the numbers (N,) and (M,) on the correct sides; the lowest if several do."""
    values = torch.cat([first, second]).double().unique()  # ascending
    between = torch.cat([values[:1] - 1, (values[1:] + values[:-1]) / 2, values[-1:] + 1])
    counts = [torch.searchsorted(numbers.double().sort().values, between) for numbers in (first, second)]
    below = counts[0] - counts[1]  # (thresholds,): how many more of the first digit lie below
    best = int(below.abs().argmax())
    count = len(first) + len(second)
    is_below = bool(below[best] >= 0)
    right = int(below[best]) + len(second) if is_below else len(first) - int(below[best])
    return Parting(float(between[best]), is_below, right, count)
