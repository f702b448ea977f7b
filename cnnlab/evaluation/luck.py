"""What the seed decides: how far runs of the same settings differ, and on which images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, nan, sqrt
from statistics import fmean, variance

import numpy as np
from scipy.stats import t as student

from cnnlab.evaluation.metrics import CONFIDENCE, Answers, Booleans, Floats, Integers

SEEDS = 3  # of the same settings, from which on their noise and the images of luck are told
# Chosen on two configs, judged on two others, each on MNIST and Fashion-MNIST: docs/benchmarks.md.
HELD = 0.95  # share of the expected flips that the images of luck are to hold
PRIOR = 16  # degrees of freedom of what images with similar margins tell of an image's spread
NEIGHBOURS = 1000  # images with similar margins
NODES = 9  # of the integration


@dataclass(frozen=True)
class SeedNoise:
    """How accuracies of the same settings vary with the seed; fractions."""

    runs: int
    sd: float  # standard deviation between seeds, pooled where there are several settings
    freedom: int  # degrees of freedom of it

    @property
    def reach(self) -> float:
        """How far two seeds of the same settings differ at most, in 95 % of the cases."""
        return float(student.ppf((1 + CONFIDENCE) / 2, self.freedom)) * self.sd * sqrt(2)


@dataclass(frozen=True)
class Seeds:
    """Test accuracies of the same settings, one a seed; fractions."""

    settings: str  # what tells them from other settings
    accuracies: tuple[float, ...]


def seed_noise(*several: Seeds) -> SeedNoise | None:
    """Pool the spread of accuracies between the seeds of several settings; None where none has SEEDS of them.

    All vary alike, it is assumed.
    """
    distinct = list({seeds.settings: seeds for seeds in several}.values())
    if max((len(seeds.accuracies) for seeds in distinct), default=0) < SEEDS:
        return None
    repeated = [seeds.accuracies for seeds in distinct if len(seeds.accuracies) > 1]
    freedom = sum(len(values) - 1 for values in repeated)
    pooled = sum((len(values) - 1) * variance(values) for values in repeated) / freedom
    return SeedNoise(sum(len(seeds.accuracies) for seeds in distinct), sqrt(pooled), freedom)


def p_of_settings(first: Seeds, second: Seeds) -> float:
    """Compute Student's p that seeds alone make the means of two settings differ so much; 1 for the same settings.

    NaN where the noise of seeds is unknown, or a setting has no accuracy.
    """
    if first.settings == second.settings:
        return 1.0
    noise = seed_noise(first, second)
    if noise is None or not (first.accuracies and second.accuracies):
        return nan
    difference = abs(fmean(first.accuracies) - fmean(second.accuracies))
    if not noise.sd:
        return 0.0 if difference else 1.0
    error = noise.sd * sqrt(1 / len(first.accuracies) + 1 / len(second.accuracies))
    return float(2 * student.sf(difference / error, noise.freedom))


@dataclass(frozen=True)
class Luck:
    """Which images the seed decides."""

    images: int
    numbers: Integers  # those of luck, the most undecided first
    apart: float  # on how many two of the known seeds differ in whether they are right, in the mean

    @property
    def share(self) -> float:
        """The share of all images that are of luck."""
        return len(self.numbers) / self.images


def images_of_luck(repeats: Sequence[Answers]) -> Luck:
    """Find the fewest images that hold HELD of the flips to expect between seeds, and those that flipped.

    ``repeats`` are the answers of SEEDS or more runs of the same settings to the same images. Raises ValueError where
    there are fewer.
    """
    if len(repeats) < SEEDS:
        raise ValueError(f"{len(repeats)} runs do not show what the seed decides: {SEEDS} do")
    hits: Booleans = np.stack([answers.hits for answers in repeats])
    flips = _flip_rates(np.stack([_margins(answers) for answers in repeats]))
    has_flipped = hits.any(0) & ~hits.all(0)
    order = np.lexsort((-flips, ~has_flipped))
    held = np.cumsum(flips[order]) / max(float(flips.sum()), 1e-12)
    enough = max(int(np.searchsorted(held, HELD)) + 1, int(has_flipped.sum()))
    chosen = order[: enough if flips.sum() > 0 else int(has_flipped.sum())]
    right = hits.sum(0)
    apart = float((right * (len(hits) - right)).sum()) / comb(len(hits), 2)
    return Luck(len(flips), chosen[np.argsort(-flips[chosen], kind="stable")], apart)


def _margins(answers: Answers) -> Floats:
    """Subtract the largest other logit from the true class's: (N,), positive where the answer is right."""
    rows, logits = np.arange(len(answers.labels)), answers.logits.astype(np.float64)
    own = logits[rows, answers.labels]
    logits[rows, answers.labels] = -np.inf
    margins: Floats = own - logits.max(1)
    return margins


def _flip_rates(margins: Floats) -> Floats:
    """Compute how likely two other seeds differ, from the margins (seeds, N) of these.

    A margin is Student's around the settings' mean, which the few seeds tell only roughly: where it lies is integrated
    over. Its variance is estimated from the image's own seeds and from images with similar margins, which count as
    PRIOR degrees of freedom.
    """
    seeds, _ = margins.shape
    mean, own = margins.mean(0), margins.var(0, ddof=1)
    freedom = PRIOR + seeds - 1
    spread = (PRIOR * _among_neighbours(np.abs(mean), own) + (seeds - 1) * own) / freedom
    off, weights = np.polynomial.hermite_e.hermegauss(NODES)
    sd = np.sqrt(np.maximum(spread, 1e-12))
    right = student.cdf((mean / sd)[:, None] + off / sqrt(seeds), freedom)  # (N, NODES)
    rates: Floats = (2 * right * (1 - right)) @ (weights / weights.sum())
    return rates


def _among_neighbours(by: Floats, values: Floats) -> Floats:
    """Average each of the ``values`` with those of NEIGHBOURS images that lie next to it in the order of ``by``."""
    order, count = by.argsort(kind="stable"), len(by)
    sums = np.concatenate([[0.0], np.cumsum(values[order])])
    low = np.clip(np.arange(count) - NEIGHBOURS // 2, 0, None)
    high = np.clip(np.arange(count) + NEIGHBOURS // 2, None, count)
    averages = np.empty(count)
    averages[order] = (sums[high] - sums[low]) / (high - low)
    return averages
