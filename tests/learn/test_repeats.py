"""Means, spreads and paired intervals over seeds, against SciPy and NumPy."""

from __future__ import annotations

from math import isnan

import numpy as np
import pytest
from scipy.stats import ttest_rel

from cnnlab.learn.ablation import Terms
from cnnlab.learn.repeats import Repeats, effects, paired_interval, repeat

PLAIN = (0.90, 0.91, 0.88, 0.905, 0.895)
BETTER = (0.95, 0.952, 0.94, 0.949, 0.95)
ALIKE = (0.91, 0.90, 0.885, 0.91, 0.89)


def test_means_and_deviations_are_numpys() -> None:
    for effect, values in zip(effects({"plain": PLAIN, "+ a": BETTER}), (PLAIN, BETTER), strict=True):
        assert effect.mean == pytest.approx(np.mean(values))
        assert effect.sd == pytest.approx(np.std(values, ddof=1))
        assert effect.seeds == len(values)


@pytest.mark.parametrize("level", [0.05, 0.0125])
def test_a_paired_interval_is_scipys(level: float) -> None:
    differences = [other - base for other, base in zip(BETTER, PLAIN, strict=True)]
    expected = ttest_rel(BETTER, PLAIN).confidence_interval(1 - level)
    assert paired_interval(differences, level) == pytest.approx((expected.low, expected.high))


def test_intervals_widen_with_the_number_of_differences() -> None:
    _, alone = effects({"plain": PLAIN, "+ a": BETTER})
    among = effects({"plain": PLAIN, "+ a": BETTER, "+ b": ALIKE, "+ c": ALIKE, "+ d": ALIKE})[1]
    expected = ttest_rel(BETTER, PLAIN).confidence_interval(1 - 0.05 / 4)
    assert (among.low, among.high) == pytest.approx((expected.low, expected.high))
    assert among.low < alone.low < alone.high < among.high


def test_a_verdict_follows_its_interval() -> None:
    baseline, better, alike = effects({"plain": PLAIN, "+ a": BETTER, "+ b": ALIKE})
    assert (better.verdict, alike.verdict) == ("better", "within chance")
    assert better.low > 0
    assert alike.low < 0 < alike.high
    assert isnan(baseline.difference)
    assert effects({"plain": BETTER, "+ a": PLAIN})[1].verdict == "worse"


def test_where_one_is_a_seed_behind_only_whole_pairs_count() -> None:
    behind = effects({"plain": PLAIN, "+ a": BETTER[:4]})[1]
    assert behind.seeds == 4
    assert behind.difference == pytest.approx(np.mean(BETTER[:4]) - np.mean(PLAIN[:4]))


def test_one_seed_is_no_evidence() -> None:
    alone = effects({"plain": PLAIN[:1], "+ a": BETTER[:1]})[1]
    assert alone.verdict == "needs two seeds"
    assert alone.difference == pytest.approx(0.05)


def test_every_training_is_done_under_a_seed_before_the_next() -> None:
    asked: list[tuple[str, int]] = []

    def train(name: str, seed: int):  # type: ignore[no-untyped-def]
        asked.append((name, seed))
        yield 0.5
        return seed + (name == "b") / 10

    told: list[Repeats] = list(repeat(Terms(), ["a", "b"], 2, train))
    assert asked == [("a", 0), ("b", 0), ("a", 1), ("b", 1)]
    assert [step.done for step in told] == pytest.approx([0.125, 0.375, 0.625, 0.875, 1])
    assert told[-1].accuracies == {"a": (0, 1), "b": (0.1, 1.1)}
    assert told[2].accuracies == {"a": (0,), "b": (0.1,)}
