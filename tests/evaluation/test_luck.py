from __future__ import annotations

from math import isnan, sqrt
from statistics import mean

import numpy as np
import pytest
from scipy.stats import t as student
from scipy.stats import ttest_ind

from cnnlab.evaluation.luck import HELD, Seeds, images_of_luck, p_of_settings, seed_noise
from cnnlab.evaluation.metrics import Answers

A = Seeds("a", (0.970, 0.974, 0.972))
B = Seeds("b", (0.975, 0.981, 0.980, 0.978))


def test_settings_are_compared_by_students_test() -> None:
    assert p_of_settings(A, B) == pytest.approx(ttest_ind(A.accuracies, B.accuracies).pvalue)


def test_one_run_is_compared_by_the_noise_of_the_others_seeds() -> None:
    alone = Seeds("b", B.accuracies[:1])
    sd = float(np.std(A.accuracies, ddof=1))
    t = (B.accuracies[0] - mean(A.accuracies)) / (sd * sqrt(1 + 1 / 3))
    assert p_of_settings(A, alone) == p_of_settings(alone, A) == pytest.approx(2 * student.sf(t, 2))


def test_two_runs_of_each_settings_tell_no_noise() -> None:
    few = Seeds("a", A.accuracies[:2]), Seeds("b", B.accuracies[:2])
    assert isnan(p_of_settings(*few))
    assert seed_noise(*few) is None
    assert isnan(p_of_settings(A, Seeds("b", ())))


def test_the_same_settings_never_differ() -> None:
    other = Seeds("a", A.accuracies[::-1])
    assert p_of_settings(A, other) == 1
    noise = seed_noise(A, other)
    assert noise
    assert (noise.runs, noise.freedom) == (3, 2)


def test_equal_seeds_leave_no_doubt() -> None:
    same, better = Seeds("a", (0.9,) * 3), Seeds("b", (0.91,) * 3)
    assert (p_of_settings(same, better), p_of_settings(same, Seeds("b", (0.9,) * 3))) == (0, 1)


def test_two_seeds_differ_by_more_than_the_noise_in_a_twentieth_of_the_cases() -> None:
    draws = np.random.default_rng(0)
    beyond = []
    for _ in range(2000):
        noise = seed_noise(Seeds("a", tuple(draws.normal(0.9, 0.01, 4))))
        assert noise
        beyond.append(abs(np.diff(draws.normal(0.9, 0.01, 2))[0]) > noise.reach)
    assert float(np.mean(beyond)) == pytest.approx(0.05, abs=0.015)


def answers(margins: np.ndarray) -> Answers:
    """Of a network that is right with these margins in logits."""
    return Answers(np.stack([margins, np.zeros_like(margins)], 1), np.zeros(len(margins), int), ("a", "b"))


def seeds(count: int, images: int = 3000) -> list[Answers]:
    """Networks whose margins differ by their seed: by 1 around those of the settings."""
    draws = np.random.default_rng(3)
    of_the_settings = draws.normal(4, 3, images)
    return [answers(of_the_settings + draws.normal(0, 1, images)) for _ in range(count)]


def test_images_of_luck_hold_the_flips_of_other_seeds() -> None:
    known, others = seeds(20)[:3], seeds(20)[3:]
    luck = images_of_luck(known)
    right = np.stack([other.hits for other in others]).sum(0)
    flips = right * (len(others) - right)
    assert flips[luck.numbers].sum() / flips.sum() > HELD - 0.03
    assert luck.share < 0.35
    pairs = len(others) * (len(others) - 1) / 2
    assert luck.apart == pytest.approx(flips.sum() / pairs, rel=0.1)


def _ends(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return numbers[:20], numbers[-20:]


def test_images_that_flipped_are_of_luck_and_the_most_undecided_come_first() -> None:
    known = seeds(3)
    luck = images_of_luck(known)
    hits = np.stack([one.hits for one in known])
    assert set(np.flatnonzero(hits.any(0) & ~hits.all(0))) <= set(luck.numbers.tolist())
    first, last = (np.abs(np.mean([one.logits[some, 0] for one in known], 0)).mean() for some in _ends(luck.numbers))
    assert first < last / 3


def test_seeds_that_agree_leave_nothing_to_luck() -> None:
    sure = [answers(np.full(50, 30.0)) for _ in range(3)]
    assert images_of_luck(sure).share == 0


def test_two_seeds_are_too_few() -> None:
    with pytest.raises(ValueError, match="3 do"):
        images_of_luck(seeds(2, 10))
