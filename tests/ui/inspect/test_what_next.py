"""Which mistake Evaluate offers to explain."""

from __future__ import annotations

import numpy as np

from cnnlab.evaluation.metrics import Answers
from cnnlab.ui.inspect.what_next import typical_mistake

CLASSES = ("cat", "dog", "owl")


def answers(*rows: tuple[int, list[float]]) -> Answers:
    return Answers(np.array([logits for _, logits in rows]), np.array([label for label, _ in rows]), CLASSES)


def test_the_most_confident_mistake_of_the_most_frequent_confusion_is_typical() -> None:
    found = answers(
        (0, [5.0, 0.0, 0.0]),
        (0, [0.0, 0.0, 9.0]),  # more confident, but alone
        (1, [0.0, 0.0, 1.0]),
        (1, [0.0, 0.0, 4.0]),
    )
    assert typical_mistake(found) == 3


def test_without_mistakes_none_is_typical() -> None:
    assert typical_mistake(answers((0, [1.0, 0.0, 0.0]), (2, [0.0, 0.0, 1.0]))) is None
