"""The same training repeated with several seeds: mean, spread, and which differences are significant."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
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
from cnnlab.learn.guesses import Outcome
from cnnlab.training.config import RunConfig
from cnnlab.training.loop import fit
from cnnlab.training.memory import check_memory

Verdict = Literal["better", "worse", "within chance", "needs two seeds"]

_GLANCE = 50  # validation images evaluated after each epoch: few, as the result is not used, unless features are kept
_PREPARING = 0.5  # of a training's time, about, that the features of frozen layers take


@dataclass(frozen=True)
class Repeats:
    """Accuracies so far by arm, one per seed in the seeds' order; the first arm is the baseline."""

    terms: object
    seeds: int  # number requested
    done: float
    accuracies: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True)
class Effect:
    """An arm compared with the baseline; fractions, NaN where there are too few seeds."""

    name: str
    seeds: int
    mean: float
    sd: float  # standard deviation between seeds, with n − 1
    difference: float  # mean minus the baseline's, over the seeds that both have
    low: float  # lower end of the difference's interval
    high: float

    @property
    def verdict(self) -> Verdict:
        """Whether the interval excludes zero, and on which side."""
        if isnan(self.low):
            return "needs two seeds"
        if self.low > 0:
            return "better"
        return "worse" if self.high < 0 else "within chance"


def effects(accuracies: Mapping[str, Sequence[float]]) -> list[Effect]:
    """Compare each arm with the baseline, which comes first, without a difference.

    Differences are paired: both arms have the same seed, thus the same images in the same order. Intervals are
    Student's, widened so that all of them hold together with 95 % confidence (Bonferroni).
    """
    name, *others = accuracies
    baseline = accuracies[name]
    found = [Effect(name, len(baseline), _mean(baseline), _sd(baseline), nan, nan, nan)]
    for other in others:
        values = accuracies[other]
        pairs = [value - base for value, base in zip(values, baseline, strict=False)]  # the arm may be one seed behind
        low, high = paired_interval(pairs, LEVEL / len(others))
        found.append(Effect(other, len(values), _mean(values), _sd(values), _mean(pairs), low, high))
    return found


def outcome_of(reached: Repeats, is_removal: bool = False) -> Outcome | None:
    """Return what guesses of the arm that gains most are scored by; of a removal, that costs most.

    Chance is half of the widest interval. None until all are trained.
    """
    if reached.done < 1:
        return None
    sign = -1 if is_removal else 1
    others = effects(reached.accuracies)[1:]
    differences = {effect.name: sign * 100 * effect.difference for effect in others}
    return Outcome(differences, noise=max(50 * (effect.high - effect.low) for effect in others))


def paired_interval(differences: Sequence[float], level: float) -> tuple[float, float]:
    """Compute Student's interval of the mean difference at error level ``level``; NaN for fewer than two."""
    count = len(differences)
    if count < 2:
        return nan, nan
    half = float(student.ppf(1 - level / 2, count - 1)) * stdev(differences) / sqrt(count)
    return fmean(differences) - half, fmean(differences) + half


Training = Generator[float, None, float]  # yields the fraction done, returns the accuracy


def repeat(
    terms: object, names: Sequence[str], seeds: int, train: Callable[[str, int], Training]
) -> Generator[Repeats]:
    """Run ``train`` for each name under the first seed, then under the next; yield the accuracies so far."""
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
    """Train and yield the fraction of the work done; return the final accuracy on all validation images.

    Raises ConfigError where memory is too small.
    """
    check_memory(config, data.spec)
    steps = config.epochs * -(-len(data.train) // config.batch_size)
    ahead = _PREPARING if config.keeps_features else 0.0
    glanced = data if config.keeps_features else replace(data, validation=data.validation.part(slice(_GLANCE)))
    accuracy = nan
    for event in fit(network, glanced, config):
        if event.kind == "prepared":
            yield ahead * event.images / event.of
        elif event.kind == "tick":
            yield ahead + (1 - ahead) * event.step / steps
        elif event.kind == "epoch":
            accuracy = event.validation_accuracy
    if config.keeps_features:
        return accuracy
    standardise = Standardise(*scaling(data.spec, config.normalise))
    return evaluate(network.cpu(), data.validation, standardise).accuracy


def _mean(values: Sequence[float]) -> float:
    return fmean(values) if values else nan


def _sd(values: Sequence[float]) -> float:
    return stdev(values) if len(values) > 1 else nan
