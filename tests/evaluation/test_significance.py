from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import mcnemar as reference
from statsmodels.stats.multitest import multipletests

from cnnlab.evaluation.luck import Seeds
from cnnlab.evaluation.metrics import Answers
from cnnlab.evaluation.significance import LEVEL, by_class, by_pair, holm, holm_of_known, mcnemar, verdict

IMAGES = 2_000


def hits(accuracy: float, draws: np.random.Generator) -> np.ndarray:
    return draws.random(IMAGES) < accuracy


@pytest.mark.parametrize("seed", range(5))
def test_the_test_is_the_exact_one(seed: int) -> None:
    draws = np.random.default_rng(seed)
    first, second = hits(0.9, draws), hits(0.92, draws)
    found = mcnemar(first, second)
    table = [[int((first & second).sum()), found.only_first], [found.only_second, int((~first & ~second).sum())]]
    assert found.p == pytest.approx(reference(table, exact=True).pvalue)


def test_equal_answers_are_no_evidence() -> None:
    same = np.array([True, False, True])
    assert mcnemar(same, same).p == 1


def test_other_images_are_refused() -> None:
    with pytest.raises(ValueError, match="same images"):
        mcnemar(np.array([True]), np.array([True, False]))


def test_corrected_values_are_the_librarys() -> None:
    values = [0.01, 0.04, 0.03, 0.005, 0.9]
    assert holm(values) == pytest.approx(list(multipletests(values, method="holm")[1]))
    assert holm([]) == []


def test_chance_is_called_chance_and_two_points_are_found() -> None:
    """Both see the same images; which of them are hard is shared, the rest is each network's own luck."""
    draws = np.random.default_rng(0)
    quiet = found = 0
    for _ in range(100):
        hard = draws.random(IMAGES) < 0.06  # what either may get wrong
        first = ~hard | (draws.random(IMAGES) < 0.5)
        second = ~hard | (draws.random(IMAGES) < 0.5)
        better = ~hard | (draws.random(IMAGES) < 0.5 + 0.02 / 0.06)
        quiet += mcnemar(first, second).p >= LEVEL
        found += mcnemar(first, better).p < LEVEL
    assert quiet >= 90
    assert found >= 90


def test_classes_are_compared_on_their_own_images() -> None:
    labels = np.repeat([0, 1], 20)
    right = np.eye(2)[labels]
    wrong_on_second = np.eye(2)[np.zeros(40, int)]
    table = by_class(Answers(right, labels, ("a", "b")), Answers(wrong_on_second, labels, ("a", "b")))
    assert table["Difference, points"].tolist() == [0, -100]
    assert table["Only first right"].tolist() == [0, 20]
    assert table["p"].iloc[1] < 0.001 < table["p"].iloc[0]
    with pytest.raises(ValueError, match="same images"):
        by_class(Answers(right, labels, ("a", "b")), Answers(right, labels[::-1], ("a", "b")))


def test_better_is_what_differs_by_more_than_chance_and_the_seeds() -> None:
    assert verdict(0.2, 0.01) == "no evidence of a difference"
    assert verdict(0.01) == "these two networks differ"
    assert verdict(0.01, 0.2) == "no more than the seeds' noise"
    assert verdict(0.01, 0.01) == "more than chance"
    assert verdict(0.01, 0.01, is_contrary=True) == "no more than the seeds' noise"


def test_each_pair_has_the_noise_of_its_seeds() -> None:
    labels = np.zeros(400, int)
    right = np.stack([np.arange(400) < count for count in (380, 340, 300)])
    answers = {
        name: Answers(np.stack([hit, ~hit], 1).astype(float), labels, ("a", "b"))
        for name, hit in zip(("one", "two", "three"), right, strict=True)
    }
    repeated = {
        "one": Seeds("x", (0.95, 0.951, 0.949)),
        "two": Seeds("y", (0.85, 0.851, 0.852)),
        "three": Seeds("z", (0.75,)),
    }
    pairs = [("one", "two"), ("two", "three"), ("one", "three")]
    rows = by_pair(answers, pairs, repeated)
    assert set(rows["Verdict"]) == {"more than chance"}
    assert (rows["Noise of seeds, points"].between(0.3, 0.7)).all()
    alone = by_pair(answers, pairs, {**repeated, "one": Seeds("x", (0.95,))})
    assert list(alone["p of the settings"].isna()) == [False, False, True]
    assert alone["Verdict"].iloc[2] == "these two networks differ"
    assert set(by_pair(answers, pairs)["Verdict"]) == {"these two networks differ"}
    contrary = by_pair(answers, pairs[:1], {**repeated, "two": Seeds("y", (0.99, 0.991, 0.992))})
    assert list(contrary["Verdict"]) == ["no more than the seeds' noise"]


def test_unknown_values_are_not_counted_in_the_correction() -> None:
    assert holm_of_known([0.01, float("nan"), 0.04]) == pytest.approx([0.02, float("nan"), 0.04], nan_ok=True)
