"""Four optimisers of ``torch.optim``, and the formula of each one's step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor
from torch.optim import SGD, Adam, Optimizer, RMSprop

MOMENTUM = 0.9
SMOOTHING, EPS = 0.99, 1e-8  # of RMSprop, PyTorch's defaults
BETAS = (0.9, 0.999)  # of Adam, PyTorch's defaults

# One tensor after another: with so few numbers the grouping for speed only costs time.
OPTIMISERS: dict[str, Callable[[Sequence[Tensor], float], Optimizer]] = {
    "SGD": partial(SGD, foreach=False),
    "Momentum": partial(SGD, momentum=MOMENTUM, foreach=False),
    "RMSprop": partial(RMSprop, alpha=SMOOTHING, eps=EPS, foreach=False),
    "Adam": partial(Adam, betas=BETAS, eps=EPS, foreach=False),
}

Memory = dict[str, Tensor]  # an optimiser's state of one tensor, by PyTorch's names


def move(optimiser: str, rate: float, gradient: Tensor, memory: Memory) -> Tensor:
    """Compute the change of the weights; ``memory`` is the optimiser's state after the step.

    SGD: −rate · g. Momentum: −rate · v (Polyak 1964). RMSprop: −rate · g / (√s + eps) (Hinton 2012).
    Adam: −rate · m̂ / (√v̂ + eps) (Kingma and Ba 2014, arXiv:1412.6980).
    """
    match optimiser:
        case "Momentum":
            return -rate * memory["momentum_buffer"]
        case "RMSprop":
            return -rate * gradient / (memory["square_avg"].sqrt() + EPS)
        case "Adam":
            mean, square = unbiased(memory)
            return -rate * mean / (square.sqrt() + EPS)
        case _:
            return -rate * gradient


def unbiased(memory: Memory) -> tuple[Tensor, Tensor]:
    """Compute Adam's m̂ and v̂: its moments, corrected for their start at zero."""
    steps = memory["step"].item()
    return memory["exp_avg"] / (1 - BETAS[0] ** steps), memory["exp_avg_sq"] / (1 - BETAS[1] ** steps)


def memory_of(optimiser: Optimizer, weights: Tensor) -> Memory:
    """Copy the state that ``optimiser`` has for ``weights``; empty where it has none."""
    kept = optimiser.state.get(weights, {})
    return {name: torch.as_tensor(value).clone() for name, value in kept.items() if value is not None}
