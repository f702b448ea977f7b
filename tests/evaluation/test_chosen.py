from __future__ import annotations

import numpy as np
import pytest

from cnnlab.evaluation.chosen import best_of


def test_the_best_of_equals_is_corrected_to_their_accuracy() -> None:
    """Thirty networks of the same accuracy: what the best has above it is luck, and the correction takes it away."""
    draws = np.random.default_rng(0)
    found = [best_of(draws.random((30, 800)) < 0.9) for _ in range(40)]
    raw, corrected = (np.mean([getattr(one, name) for one in found]) for name in ("accuracy", "corrected"))
    assert raw > 0.918
    assert corrected == pytest.approx(0.9, abs=0.006)


def test_a_clear_winner_keeps_its_accuracy() -> None:
    draws = np.random.default_rng(1)
    best = best_of(draws.random((20, 1000)) < np.array([0.95, *[0.6] * 19])[:, None])
    assert best.number == 0
    assert best.candidates == 20
    assert best.images == 1000
    assert best.luck == pytest.approx(0, abs=0.002)


def test_the_interval_holds_the_accuracy_on_as_many_other_images() -> None:
    draws = np.random.default_rng(2)
    held = []
    for _ in range(150):
        best = best_of(draws.random((8, 500)) < 0.9)
        held.append(best.low <= (draws.random(500) < 0.9).mean() <= best.high)
    assert 0.9 <= float(np.mean(held)) <= 0.99


def test_one_network_was_not_chosen() -> None:
    hits = np.arange(200)[None] < 180
    best = best_of(hits)
    assert best.accuracy == 0.9
    assert best.luck == pytest.approx(0, abs=0.003)
    assert best_of(np.ones((3, 10), bool)).high == 1


def test_without_answers_nothing_is_chosen() -> None:
    with pytest.raises(ValueError, match="no answer"):
        best_of(np.ones((0, 10), bool))


@pytest.mark.parametrize("hits", [np.ones((2, 50), bool), np.zeros((2, 50), bool)])
def test_few_images_without_any_error_or_hit_are_no_certainty(hits: np.ndarray) -> None:
    best = best_of(hits)
    assert best.accuracy == best.corrected == hits[0, 0]
    assert 0.03 < best.high - best.low < 0.1
