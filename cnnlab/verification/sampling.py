"""Which epochs are executed again, and the chance that a forgery lies among the others."""

from __future__ import annotations

from collections.abc import Mapping
from math import comb, isnan
from random import Random

FORGED = (1, 2, 5, 10, 20)  # numbers of forged epochs whose chance is told


def chosen_epochs(changes: Mapping[int, float], count: int, draws: Random) -> list[int]:
    """Choose ``count`` epochs to execute again, in order: half with the largest weight changes, the rest at random.

    ``changes`` are distances of the weights before and after each epoch. Who puts other weights in place of trained
    ones makes large steps, as training shorter than told must catch up (Jia et al. 2021, "Proof-of-Learning:
    Definitions and Practice", arXiv:2103.05633). Those at random are unknown to a forger, who knows this rule.
    """
    by_change = sorted(changes, key=lambda epoch: (-_number(changes[epoch]), epoch))
    largest = by_change[: _largest(len(changes), count)]
    others = by_change[len(largest) :]
    return sorted([*largest, *draws.sample(others, min(count - len(largest), len(others)))])


def chance_missed(epochs: int, count: int, forged: int) -> float:
    """Return the chance that none of ``forged`` epochs is among the ``count`` executed ones.

    It is that of a forger who keeps off the largest changes, so that only the epochs at random find anything.
    """
    largest = _largest(epochs, count)
    others = epochs - largest
    drawn = min(count - largest, others)
    return comb(others - forged, drawn) / comb(others, drawn) if forged <= others else 0.0


def chances_missed(epochs: int, count: int) -> dict[int, float]:
    """Return ``chance_missed`` for several numbers of forged epochs."""
    return {forged: chance_missed(epochs, count, forged) for forged in FORGED if forged <= epochs}


def _largest(epochs: int, count: int) -> int:
    """Return how many epochs are chosen by their changes."""
    return min(count // 2, epochs)


def _number(change: float) -> float:
    return float("inf") if isnan(change) else change
