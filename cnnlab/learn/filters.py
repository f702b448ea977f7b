"""3×3 filters by name, and how well one number of a filter's answers tells two digits apart."""

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
    """Nine weights and what they do."""

    title: str
    rows: Rows
    about: str

    @property
    def kernel(self) -> Tensor:
        """(3, 3)."""
        return torch.tensor(self.rows)


FILTERS: dict[str, Filter] = {
    "vertical": Filter(
        "Vertical edge",
        ((-1.0, 0.0, 1.0),) * 3,
        "Right minus left: large where it gets brighter to the right, negative where darker, zero where even.",
    ),
    "horizontal": Filter(
        "Horizontal edge",
        ((-1.0, -1.0, -1.0), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
        "Below minus above: it answers to level strokes and not at all to upright ones.",
    ),
    "blur": Filter("Blur", ((_NINTH,) * 3,) * 3, "The mean of nine pixels: what is fine is smoothed away."),
    "sharpen": Filter(
        "Sharpen",
        ((0.0, -1.0, 0.0), (-1.0, 5.0, -1.0), (0.0, -1.0, 0.0)),
        "Five times the pixel minus its four neighbours: differences grow.",
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
    """Two digits told apart by one number: below the threshold one, above it the other."""

    threshold: float
    first_is_below: bool
    right: int  # of those that it was chosen by
    count: int

    def hits(self, first: Tensor, second: Tensor) -> int:
        """How many of these numbers of the first and the second digit lie on their side."""
        below = int((first < self.threshold).sum()), int((second < self.threshold).sum())
        mistaken = below[1] + len(first) - below[0]
        return len(first) + len(second) - mistaken if self.first_is_below else mistaken


def answers(images: Tensor, kernel: Tensor, rectified: bool = False) -> Tensor:
    """Feature maps of a filter: images (N, C, H, W) in 0…1 and a kernel (C, height, width) → (N, 1, rows, columns)."""
    maps = F.conv2d(images, kernel[None])
    return maps.relu() if rectified else maps


def fitted(kernel: Tensor, channels: int) -> Tensor:
    """A kernel (height, width) or (C, height, width) for images of ``channels``.

    One for grey images looks at every channel alike; one for colour sees grey as three equal channels.
    """
    planes = kernel if kernel.dim() == 3 else kernel[None]
    return planes if len(planes) == channels else planes.sum(0, keepdim=True).expand(channels, -1, -1)


def part(first: Tensor, second: Tensor) -> Parting:
    """The threshold that has most of the numbers (N,) and (M,) of two digits on their sides; the lowest of equals."""
    values = torch.cat([first, second]).double().unique()  # in ascending order
    between = torch.cat([values[:1] - 1, (values[1:] + values[:-1]) / 2, values[-1:] + 1])
    counts = [torch.searchsorted(numbers.double().sort().values, between) for numbers in (first, second)]
    below = counts[0] - counts[1]  # (thresholds,): how many more of the first lie below
    best = int(below.abs().argmax())
    count = len(first) + len(second)
    is_below = bool(below[best] >= 0)
    right = int(below[best]) + len(second) if is_below else len(first) - int(below[best])
    return Parting(float(between[best]), is_below, right, count)
