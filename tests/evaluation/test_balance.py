from __future__ import annotations

import pytest

from cnnlab.evaluation.balance import balanced_accuracy, f1_scores, is_imbalanced, macro_f1


@pytest.mark.parametrize(
    ("support", "imbalanced"),
    [((), False), ((0, 0), False), ((10, 10), False), ((14, 10), False), ((15, 10), True), ((10, 0), True)],
)
def test_classes_are_imbalanced_from_half_as_many_images_more_on(support: tuple[int, ...], imbalanced: bool) -> None:
    assert is_imbalanced(support) == imbalanced


def test_every_class_that_occurs_counts_alike() -> None:
    assert balanced_accuracy((0.9, 0.5, 0.0), (1000, 10, 0)) == pytest.approx(0.7)
    assert macro_f1((0.8, 0.2, 0.0), (1000, 10, 0)) == pytest.approx(0.5)
    assert balanced_accuracy((0.0, 0.0), (0, 0)) == 0


def test_f1_falls_where_a_class_is_missed_and_where_others_are_taken_for_it() -> None:
    assert f1_scores((8, 8, 0), (8, 16, 0), (16, 8, 0)) == pytest.approx((2 / 3, 2 / 3, 0))
