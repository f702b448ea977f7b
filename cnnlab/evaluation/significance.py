"""Tests whether one network is significantly better than another on the same images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan, nan
from statistics import fmean

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from cnnlab.evaluation.luck import Seeds, p_of_settings, seed_noise
from cnnlab.evaluation.metrics import Answers, Booleans

LEVEL = 0.05  # below this a difference counts as more than chance
SAME = "no evidence of a difference"
NETWORKS = "these two networks differ"  # their settings may not: the seeds are unknown
NOISE = "no more than the seeds' noise"
BETTER = "more than chance"  # on these images, and more than the seeds' noise


@dataclass(frozen=True)
class Comparison:
    """Two networks on the same images."""

    only_first: int  # images only the first names right
    only_second: int
    p: float  # how likely chance alone makes them differ so much


def mcnemar(first: Booleans, second: Booleans) -> Comparison:
    """Compare hits (N,) of the same images, in the same order, by McNemar's exact test (1947).

    Raises ValueError where the lengths differ.
    """
    if first.shape != second.shape:
        raise ValueError(f"{len(first)} and {len(second)} answers are not to the same images")
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    apart = only_first + only_second
    return Comparison(only_first, only_second, float(binomtest(only_first, apart).pvalue) if apart else 1.0)


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p-values for their number (Holm 1979)."""
    values = np.asarray(p_values, float)
    order = values.argsort()
    factors = np.arange(len(values), 0, -1)
    corrected = np.empty_like(values)
    corrected[order] = np.minimum(np.maximum.accumulate(values[order] * factors), 1.0)
    return [float(value) for value in corrected]


def by_pair(
    answers: Mapping[str, Answers],
    pairs: Sequence[tuple[str, str]],
    seeds: Mapping[str, Seeds] | None = None,
) -> pd.DataFrame:
    """Tabulate pairs of names: verdict, McNemar's p corrected for the number of pairs, difference in points, counts.

    From the ``seeds`` of each name's settings come the p of the settings, corrected too, and the seeds' noise in
    points, both NaN where unknown. Raises ValueError where a pair did not answer to as many images.
    """
    rows = pd.DataFrame([_tested(one, other, answers[one], answers[other]) for one, other in pairs])
    rows["p"] = holm(rows["p"].tolist())
    known = seeds or {}
    repeated = [[known.get(name, Seeds(name, ())) for name in pair] for pair in pairs]
    rows["p of the settings"] = holm_of_known([p_of_settings(*both) for both in repeated])
    noises = [seed_noise(*both) for both in repeated]
    rows["Noise of seeds, points"] = [100 * noise.reach if noise else nan for noise in noises]
    differences = rows["Difference, points"]
    contrary = [points * _difference(*both) < 0 for points, both in zip(differences, repeated, strict=True)]
    verdicts = [verdict(*each) for each in zip(rows["p"], rows["p of the settings"], contrary, strict=True)]
    rows.insert(0, "Verdict", verdicts)
    return rows


def _difference(one: Seeds, other: Seeds) -> float:
    """Subtract the mean accuracies of two settings; 0 where one has none."""
    if not (one.accuracies and other.accuracies):
        return 0.0
    return fmean(other.accuracies) - fmean(one.accuracies)


def holm_of_known(p_values: Sequence[float]) -> list[float]:
    """Correct p-values for the number of those that are known; NaN stays."""
    corrected = iter(holm([p for p in p_values if not isnan(p)]))
    return [p if isnan(p) else next(corrected) for p in p_values]


def verdict(p: float, p_settings: float = nan, is_contrary: bool = False) -> str:
    """Say what a difference with such a p of McNemar's test, and of the settings by their seeds, counts as.

    McNemar's test is about two trained networks: two seeds of the same settings often differ by it. The difference of
    the settings' means may be contrary to that of the two.
    """
    if p >= LEVEL:
        return SAME
    if isnan(p_settings):
        return NETWORKS
    return BETTER if p_settings < LEVEL and not is_contrary else NOISE


def _tested(one: str, other: str, first: Answers, second: Answers) -> dict[str, object]:
    found = mcnemar(first.hits, second.hits)
    accuracies = float(first.hits.mean()), float(second.hits.mean())
    return {
        "p": found.p,
        "Difference, points": round(100 * (accuracies[1] - accuracies[0]), 4),
        "One": one,
        "Other": other,
        "One's accuracy": accuracies[0],
        "Other's accuracy": accuracies[1],
        "Only one right": found.only_first,
        "Only other right": found.only_second,
        "Images": len(first.labels),
    }


def by_class(first: Answers, second: Answers) -> pd.DataFrame:
    """Tabulate each class: both accuracies, their difference in points, and McNemar's p corrected over the classes.

    Raises ValueError where the two did not see the same images.
    """
    if not np.array_equal(first.labels, second.labels) or first.classes != second.classes:
        raise ValueError("the two did not answer to the same images")
    rows = []
    for number, name in enumerate(first.classes):
        members = first.labels == number
        pair = first.hits[members], second.hits[members]
        tested = mcnemar(*pair)
        accuracies = [float(hits.mean()) if len(hits) else 0.0 for hits in pair]
        rows.append(
            {
                "Class": name,
                "First": accuracies[0],
                "Second": accuracies[1],
                "Difference, points": 100 * (accuracies[1] - accuracies[0]),
                "Only first right": tested.only_first,
                "Only second right": tested.only_second,
                "p": tested.p,
            }
        )
    frame = pd.DataFrame(rows)
    frame["p"] = holm(frame["p"].tolist())
    return frame
