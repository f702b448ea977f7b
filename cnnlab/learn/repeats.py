"""The same training under several seeds: what it comes to, how far that spreads, which differences are no chance."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import isnan, nan, sqrt
from statistics import fmean, stdev
from typing import Literal

from scipy.stats import t as student
from torch import nn

from cnnlab.data.batches import Standardise, scaling
from cnnlab.data.loading import Data
from cnnlab.evaluation.evaluate import evaluate
from cnnlab.evaluation.significance import LEVEL
from cnnlab.training.config import RunConfig
from cnnlab.training.loop import fit
from cnnlab.training.memory import check_memory

Verdict = Literal["better", "worse", "within chance", "needs two seeds"]

_GLANCE = 50  # validation images that fit itself looks at after each epoch, which costs time and steers nothing


@dataclass(frozen=True)
class Repeats:
    """Accuracies so far, one a seed in the seeds' order, by what was tried; the first is the baseline."""

    terms: object
    seeds: int  # asked for
    done: float
    accuracies: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True)
class Effect:
    """What was tried against the baseline; fractions, NaN where there are too few seeds."""

    name: str
    seeds: int
    mean: float
    sd: float  # between seeds, with n − 1
    difference: float  # of the mean to the baseline's, over the seeds that both have
    low: float  # of its interval
    high: float

    @property
    def verdict(self) -> Verdict:
        """Whether the interval leaves out zero, and on which side it lies."""
        if isnan(self.low):
            return "needs two seeds"
        if self.low > 0:
            return "better"
        return "worse" if self.high < 0 else "within chance"


def effects(accuracies: Mapping[str, Sequence[float]]) -> list[Effect]:
    """One for each that was tried, the baseline first and without a difference.

    Differences are paired: both sides of one have the same seed, thus the same images in the same order. Their
    intervals are Student's, widened so that with 95 % all of them together hold (Bonferroni).
    """
    name, *others = accuracies
    baseline = accuracies[name]
    found = [Effect(name, len(baseline), _mean(baseline), _sd(baseline), nan, nan, nan)]
    for other in others:
        values = accuracies[other]
        pairs = [value - base for value, base in zip(values, baseline, strict=False)]  # it may be a seed behind
        low, high = paired_interval(pairs, LEVEL / len(others))
        found.append(Effect(other, len(values), _mean(values), _sd(values), _mean(pairs), low, high))
    return found


def paired_interval(differences: Sequence[float], level: float) -> tuple[float, float]:
    """Student's interval of their mean, missed with probability ``level``; NaN for fewer than two."""
    count = len(differences)
    if count < 2:
        return nan, nan
    half = float(student.ppf(1 - level / 2, count - 1)) * stdev(differences) / sqrt(count)
    return fmean(differences) - half, fmean(differences) + half


Training = Generator[float, None, float]  # tells the share of it that is done, returns its accuracy


def repeat(
    terms: object, names: Sequence[str], seeds: int, train: Callable[[str, int], Training]
) -> Generator[Repeats]:
    """``train`` each name under the first seed, then each under the next: pairs are complete early."""
    accuracies: dict[str, tuple[float, ...]] = dict.fromkeys(names, ())
    for number, (seed, name) in enumerate(product(range(seeds), names)):
        training = train(name, seed)
        while True:
            try:
                share = next(training)
            except StopIteration as end:
                accuracies[name] += (end.value,)
                break
            yield Repeats(terms, seeds, (number + share) / (seeds * len(names)), dict(accuracies))
    yield Repeats(terms, seeds, 1.0, accuracies)


def train_and_judge(network: nn.Module, data: Data, config: RunConfig) -> Training:
    """Train, telling the share of its steps that is done; returns the accuracy on all validation images at the end.

    Raises ConfigError where there is too little memory.
    """
    check_memory(config, data.spec)
    steps = config.epochs * -(-len(data.train) // config.batch_size)
    glanced = Data(data.spec, data.train, data.validation.part(slice(_GLANCE)), data.test)
    for event in fit(network, glanced, config):
        if event.kind == "tick":
            yield event.step / steps
    standardise = Standardise(*scaling(data.spec, config.normalise))
    return evaluate(network.cpu(), data.validation, standardise).accuracy


def _mean(values: Sequence[float]) -> float:
    return fmean(values) if values else nan


def _sd(values: Sequence[float]) -> float:
    return stdev(values) if len(values) > 1 else nan
