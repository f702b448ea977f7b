"""When the trials of a sweep are stopped early, and what that saves where several run at once.

A trial is compared with those before it. Of many that start together, none can be: so the more run at once, the later
weak ones are stopped.
"""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from random import Random
from typing import Literal, Protocol

STARTUP_TRIALS = 5  # sampled at random before TPE starts, and completed before any is stopped by the median
WARMUP_EPOCHS = 1  # no trial is stopped before them
KEPT_OF = 4  # successive halving keeps the best of so many, after 1, 4, 16 … epochs
MOST_SIMULATED = 50_000  # epochs, which take a fraction of a second
CHANCE = 0.3  # deviation of an accuracy after the first epoch from that at the end; that of the ends is 0.29

PrunerName = Literal["median", "halving", "none"]


class Rule(Protocol):
    """A way to decide, from the accuracies so far, which trials are stopped."""

    def stops(self, trial: int, epoch: int, value: float) -> bool:
        """Take a trial's validation accuracy after an epoch, counted from 1, and tell whether the trial is stopped."""

    def completes(self, trial: int) -> None:
        """Note that a trial had all its epochs."""


@lru_cache(maxsize=64)
def epochs_trained(name: PrunerName, trials: int, epochs: int, slots: int) -> int:
    """Simulate how many epochs ``trials`` of ``epochs`` each take together, with ``slots`` of them at once.

    All epochs take equally long. Accuracies at the end are drawn uniformly; earlier ones differ from them by chance,
    less and less. The sampler's progress from trial to trial is left out.
    """
    rules: dict[str, type[Rule]] = {"median": Median, "halving": Halving}
    if name not in rules:
        return trials * epochs
    return walk(curves(trials, epochs), slots, rules[name]())


def curves(trials: int, epochs: int, seed: int = 0) -> list[list[float]]:
    """Draw the validation accuracies of trials after each epoch."""
    draws = Random(seed)
    ends = [draws.random() for _ in range(trials)]
    return [[end + draws.gauss(0.0, CHANCE * (1 - epoch / epochs)) for epoch in range(1, epochs + 1)] for end in ends]


def walk(accuracies: Sequence[Sequence[float]], slots: int, rule: Rule) -> int:
    """Train trials with these accuracies, ``slots`` at once, epoch by epoch; return the number of all epochs."""
    trained, running, following = 0, dict[int, int](), iter(range(len(accuracies)))
    while True:
        while len(running) < slots and (trial := next(following, None)) is not None:
            running[trial] = 0
        if not running:
            return trained
        for trial in list(running):
            trained += 1
            running[trial] = epoch = running[trial] + 1
            is_whole = epoch == len(accuracies[trial])
            if is_whole:
                rule.completes(trial)
            if is_whole or rule.stops(trial, epoch, accuracies[trial][epoch - 1]):
                del running[trial]


class Median:
    """Stop a trial whose best accuracy is below the median of the complete ones after as many epochs."""

    def __init__(self) -> None:
        self._values: dict[int, list[float]] = defaultdict(list)  # by trial
        self._complete: dict[int, list[float]] = defaultdict(list)  # by epoch, ascending

    def stops(self, trial: int, epoch: int, value: float) -> bool:
        """Compare a trial with the complete ones."""
        self._values[trial].append(value)
        others = self._complete[epoch]
        return len(others) >= STARTUP_TRIALS and epoch >= WARMUP_EPOCHS and max(self._values[trial]) < _middle(others)

    def completes(self, trial: int) -> None:
        """Count a trial among the complete ones."""
        for epoch, value in enumerate(self._values[trial], start=1):
            insort(self._complete[epoch], value)


class Halving:
    """Stop a trial that is not among the best quarter of those that came as far, after 1, 4, 16 … epochs."""

    def __init__(self) -> None:
        self._reached: dict[int, list[float]] = defaultdict(list)  # by epoch, ascending

    def stops(self, trial: int, epoch: int, value: float) -> bool:
        """Compare a trial with those that had as many epochs before, at the epochs where that is done."""
        if not _is_power(epoch):
            return False
        competing = self._reached[epoch]
        insort(competing, value)
        kept = max(1, len(competing) // KEPT_OF)
        return value < competing[-kept]

    def completes(self, trial: int) -> None:
        """Do nothing: those that came as far count, wherever they are now."""


def _is_power(epoch: int) -> bool:
    """Tell whether trials are compared after an epoch: 1, 4, 16 …"""
    while epoch % KEPT_OF == 0:
        epoch //= KEPT_OF
    return epoch == 1


def _middle(ascending: Sequence[float]) -> float:
    """Return the median."""
    half = len(ascending) // 2
    return (ascending[half] + ascending[~half]) / 2
