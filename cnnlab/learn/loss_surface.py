"""Losses as functions of two numbers, and the paths of optimisers on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import inf

import torch
import torch.nn.functional as F
from torch import Tensor

from cnnlab.learn.guesses import Ask, Outcome
from cnnlab.learn.optimisers import OPTIMISERS
from cnnlab.learn.training_step import batch_of, prepared, walk
from cnnlab.networks.build import seeded

LOST = 1e4  # times the initial loss: a path above it is cut off
_TRAINED_STEPS, _TRAINED_RATE = 60, 0.01  # of Adam, to the centre of the network's surface


@dataclass(frozen=True)
class Surface:
    """A loss over a rectangle of two numbers."""

    formula: str  # Markdown
    about: str  # what makes it hard
    loss: Callable[[Tensor], Tensor]  # points (…, 2) → (…)
    x: tuple[float, float]  # the range shown
    y: tuple[float, float]
    start: tuple[float, float]
    rate: float  # a learning rate that shows something
    points: int = 61  # grid points per axis, for the chart
    most_steps: int = 100  # length limit of a path; lower where the loss is slow to compute

    def grid(self) -> tuple[Tensor, Tensor, Tensor]:
        """Compute x and y of the grid, and the losses (points, points) over it, one row per y."""
        x, y = torch.linspace(*self.x, self.points), torch.linspace(*self.y, self.points)
        places = torch.cartesian_prod(y, x).flip(1)  # (points², 2)
        with torch.no_grad():
            return x, y, self.loss(places).view(self.points, self.points)


@dataclass(frozen=True)
class Path:
    """The path of an optimiser."""

    points: Tensor  # (steps + 1, 2), with the start
    losses: Tensor  # (steps + 1,)
    is_lost: bool  # whether the loss exceeded LOST times its initial value

    @property
    def steps(self) -> int:
        """Number of steps."""
        return len(self.points) - 1


def paths(
    surface: Surface, names: Sequence[str], rate: float, steps: int, start: tuple[float, float]
) -> dict[str, Path]:
    """Compute each optimiser's path from ``start``, all with one learning rate."""
    ends = [torch.tensor(start).requires_grad_() for _ in names]
    engines = [OPTIMISERS[name]([end], rate) for name, end in zip(names, ends, strict=True)]
    points, losses = [], []
    for _ in range(steps):
        here = surface.loss(torch.stack(ends))  # (names,)
        points.append(torch.stack(ends).detach())
        losses.append(here.detach())
        here.sum().backward()
        for engine in engines:
            engine.step()
            engine.zero_grad()
    with torch.no_grad():
        points.append(torch.stack(ends))
        losses.append(surface.loss(points[-1]))
    walked, heights = torch.stack(points, 1), torch.stack(losses, 1)  # (names, steps + 1, 2), (names, steps + 1)
    return {name: _path(walked[number], heights[number]) for number, name in enumerate(names)}


def _path(points: Tensor, losses: Tensor) -> Path:
    """Build a path, cut off where the loss diverges."""
    lost = ~(losses <= LOST * losses[0].clamp(min=1e-3))  # also true for NaN
    if not lost.any():
        return Path(points, losses, is_lost=False)
    end = int(lost.int().argmax())
    finite = end + 1 if losses[end].isfinite() else end
    return Path(points[:finite], losses[:finite], is_lost=True)


def _bowl(points: Tensor) -> Tensor:
    x, y = points.unbind(-1)
    return (x**2 + y**2) / 2


def _valley(points: Tensor) -> Tensor:
    x, y = points.unbind(-1)
    return (x**2 + 25 * y**2) / 2


def _saddle(points: Tensor) -> Tensor:
    x, y = points.unbind(-1)
    return x**2 / 2 + (y**2 - 1) ** 2 / 4


def _rosenbrock(points: Tensor) -> Tensor:
    x, y = points.unbind(-1)
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def _himmelblau(points: Tensor) -> Tensor:
    x, y = points.unbind(-1)
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


def _network(points: Tensor) -> Tensor:
    """Compute the tiny network's loss at its trained weights plus x and y times two directions.

    Both layers are linear in their weights, so each direction's share of a convolution is computed only once.
    """
    parts = _network_parts()
    shares = F.pad(points.reshape(-1, 2), (1, 0), value=1.0)  # (P, 3)
    maps = (shares @ parts.convolved.flatten(1)).view(-1, *parts.convolved.shape[2:])  # (P·N, 4, 26, 26)
    features = F.max_pool2d(maps.relu(), 2).view(len(shares), len(parts.labels), -1)  # (P, N, 676)
    weights = (shares @ parts.weights.flatten(1)).view(-1, *parts.weights.shape[1:])  # (P, 10, 676)
    logits = features @ weights.mT + parts.bias  # (P, N, 10)
    losses = F.cross_entropy(logits.flatten(0, 1), parts.labels.repeat(len(shares)), reduction="none")
    return losses.view(len(shares), -1).mean(1).view(points.shape[:-1])


@dataclass(frozen=True)
class _Parts:
    """The network's parts at the trained weights and along the two directions."""

    convolved: Tensor  # (3, N, 4, 26, 26)
    weights: Tensor  # (3, 10, 676)
    bias: Tensor  # (10,)
    labels: Tensor  # (N,)


@cache
def _network_parts() -> _Parts:
    batch = batch_of()
    images = prepared(batch)
    with torch.enable_grad():  # the first caller may run without gradients
        middle = walk("Adam", _TRAINED_RATE, _TRAINED_STEPS)[-1].after
    three = [middle, *(direction(middle, seed) for seed in (1, 2))]
    return _Parts(
        convolved=torch.stack([F.conv2d(images, part["conv.weight"], part["conv.bias"]) for part in three]),
        weights=torch.stack([part["linear.weight"] for part in three]),
        bias=middle["linear.bias"],
        labels=batch.labels,
    )


def direction(weights: dict[str, Tensor], seed: int) -> dict[str, Tensor]:
    """Make a random direction, each filter with its weights' norm; biases stay 0 (Li et al. 2018, arXiv:1712.09913)."""
    direction = {}
    with seeded(seed):
        for name, filters in weights.items():
            if filters.dim() == 1:
                direction[name] = torch.zeros_like(filters)
                continue
            drawn, inner = torch.randn_like(filters), tuple(range(1, filters.dim()))
            lengths = [torch.linalg.vector_norm(these, dim=inner, keepdim=True) for these in (filters, drawn)]
            direction[name] = drawn * lengths[0] / lengths[1]
    return direction


SURFACES: dict[str, Surface] = {
    "Round bowl": Surface(
        "(x² + y²) / 2",
        "The same in all directions: the gradient points to the middle.",
        _bowl,
        (-3, 3),
        (-3, 3),
        (-2.4, 1.8),
        0.1,
    ),
    "Narrow valley": Surface(
        "(x² + 25 y²) / 2",
        "25 times as steep in y as in x: a step that suits one is wrong for the other.",
        _valley,
        (-3, 3),
        (-1.5, 1.5),
        (-2.6, 1.0),
        0.063,
    ),
    "Saddle": Surface(
        "x² / 2 + (y² − 1)² / 4",
        "At (0, 0) the slope is zero, but it is not a minimum. The minima are at y = ±1.",
        _saddle,
        (-2, 2),
        (-2, 2),
        (-1.8, 0.02),
        0.1,
    ),
    "Rosenbrock": Surface(
        "(1 − x)² + 100 (y − x²)²",
        "A curved valley with a nearly flat floor. Its minimum is at (1, 1).",
        _rosenbrock,
        (-2, 2),
        (-1, 3),
        (-1.2, 1.0),
        0.002,
    ),
    "Four minima": Surface(
        "(x² + y − 11)² + (x + y² − 7)²",
        "Himmelblau's function has four equal minima. The start decides which one a path finds.",
        _himmelblau,
        (-5, 5),
        (-5, 5),
        (-0.2, -0.6),
        0.01,
    ),
    "Tiny network": Surface(
        "cross-entropy of eight digits",
        "The trained network of the other part, moved along two random directions (Li et al. 2018).",
        _network,
        (-1, 1),
        (-1, 1),
        (-0.8, 0.7),
        0.1,
        points=31,
        most_steps=60,
    ),
}


def to_guess(name: str, optimisers: Sequence[str], steps: int) -> Ask:
    """Ask which optimiser reaches the lowest loss; once for each surface."""
    return Ask(f"surface {name}", f"Which optimiser has the lowest loss after {steps} steps?", tuple(optimisers))


def outcome_of(ways: Mapping[str, Path]) -> Outcome:
    """Return what guesses of the best optimiser are scored by: the lower the loss, the farther ahead."""
    return Outcome({name: -inf if way.is_lost else -way.losses[-1].item() for name, way in ways.items()})
