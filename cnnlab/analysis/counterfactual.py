"""Counterfactuals: the smallest change that makes a network predict another class."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from math import cos, pi

import torch
from torch import Tensor, nn

from cnnlab.jobs.worker import Part

STEPS = 64
LENGTHS = 1.0, 0.01  # of a step, at first and at last: L2 norm, pixels in 0…1
RATES = 0.1, 0.01  # by which the norm allowed shrinks or grows in a step, at first and at last
LEAD = 0.01  # of the wanted class's logit, so that no rounding error decides the answer
FURTHER = 1.0, 1.02, 1.05, 1.1, 1.2, 1.5  # times the change that was found: rounding may take back its end
HALVINGS = 12  # between the image and the change
MOVED = 0.1  # by more than this a pixel in 0…1 counts as moved

Standardise = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Change:
    """An image before and after it is predicted as another class, both (1, C, H, W) uint8."""

    before: Tensor
    after: Tensor

    @property
    def difference(self) -> Tensor:
        """Return the change (C, H, W) of pixels in 0…1."""
        return (self.after.float() - self.before.float())[0] / 255

    @property
    def size(self) -> float:
        """Return the L2 norm of the change of pixels in 0…1."""
        return float(self.difference.norm())

    @property
    def share(self) -> float:
        """Return the norm as a share of the image's own; infinite for a black image."""
        own = float((self.before.float() / 255).norm())
        return self.size / own if own else float("inf")

    @property
    def moved(self) -> int:
        """Count the pixels that changed by more than a tenth of their range, in any channel."""
        return int((self.difference.abs().amax(0) > MOVED).sum())


def smallest_change(
    network: nn.Module, standardise: Standardise, image: Tensor, target: int, steps: int = STEPS
) -> Generator[Part[Change | None]]:
    """Search the smallest change, by L2 norm, that makes ``image`` (1, C, H, W) uint8 predicted as class ``target``.

    Each step follows the gradient of the class's log-probability, then projects onto a sphere that shrinks where the
    class is predicted and grows where it is not (decoupled direction and norm, Rony et al. 2019, arXiv:1811.09600;
    here the sphere's rate falls too); then it bisects towards the image, with pixels rounded. The result is None where
    no step reached the class. There may be a smaller change. The network is in evaluation mode.
    """
    start = image.float() / 255
    change: Tensor | None = None
    for number, shortest in enumerate(_shortest_so_far(network, standardise, start, target, steps), 1):
        change = shortest
        yield Part(number / (steps + 1))
    yield Part(1.0, None if change is None else _rounded(network, standardise, image, change, target))


def _shortest_so_far(
    network: nn.Module, standardise: Standardise, start: Tensor, target: int, steps: int
) -> Iterator[Tensor | None]:
    """Yield, after each step, the smallest change (1, C, H, W) so far at which ``target`` was predicted."""
    change, radius = torch.zeros_like(start), 1.0
    best: Tensor | None = None
    for step in range(steps):
        lead, direction = _uphill(network, standardise, start + change, target)
        length, rate = (last + (first - last) * (1 + cos(pi * step / steps)) / 2 for first, last in (LENGTHS, RATES))
        if lead >= LEAD:
            best = change if best is None or change.norm() < best.norm() else best
            radius = change.norm().item() * (1 - rate)
        else:
            radius *= 1 + rate
        change = change + length * direction
        on_sphere = change * (radius / change.norm().clamp_min(1e-12))
        change = (start + on_sphere).clamp(0, 1) - start
        yield best


def _uphill(network: nn.Module, standardise: Standardise, pixels: Tensor, target: int) -> tuple[float, Tensor]:
    """Compute the class's lead, and the direction of length 1 in which its log-probability rises most."""
    with torch.enable_grad():
        pixels = pixels.detach().requires_grad_()
        logits = network(standardise(pixels))
        (gradient,) = torch.autograd.grad(logits.log_softmax(1)[0, target], [pixels])
    return _lead(logits.detach(), target), gradient / gradient.norm().clamp_min(1e-12)


def _lead(logits: Tensor, target: int) -> float:
    """Compute the class's logit less the largest other one, of logits (1, classes)."""
    others = torch.cat([logits[0, :target], logits[0, target + 1 :]])
    return (logits[0, target] - others.max()).item()


def _rounded(network: nn.Module, standardise: Standardise, image: Tensor, change: Tensor, target: int) -> Change | None:
    """Find the smallest part of a change that is still predicted as ``target`` once pixels are whole numbers."""

    def scaled(part: float) -> Tensor:
        return (image + 255 * part * change).round().clamp(0, 255).byte()

    def is_read(part: float) -> bool:
        with torch.inference_mode():
            return _lead(network(standardise(scaled(part).float() / 255)), target) >= LEAD

    enough = next((part for part in FURTHER if is_read(part)), None)
    if enough is None:
        return None
    too_little = 0.0
    for _ in range(HALVINGS):
        middle = (too_little + enough) / 2
        too_little, enough = (too_little, middle) if is_read(middle) else (middle, enough)
    return Change(image, scaled(enough))
