from __future__ import annotations

import numpy as np
import pytest

from cnnlab.forecasting.gaussian_process import Floats, Prediction, predict


def predicted(places: list[float], values: list[float], noise: float = 1e-4, slopes: bool = False) -> list[float]:
    """The quantiles 5, 50 and 95 % at the last of the places on a line."""
    line = np.array(places)
    trends = (line - line[-1])[:, None] if slopes else np.zeros((len(line), 1))
    apart: Floats = np.abs(line[:, None] - line[None])
    return predict(apart, trends, np.array(values), np.full(len(values), noise)).quantiles(0.05, 0.5, 0.95)


def test_quantiles_of_a_mixture() -> None:
    one = Prediction(np.array([1.0]), np.array([3.0]), np.array([4.0]))
    assert one.quantiles(0.05, 0.5, 0.95) == pytest.approx([3 - 2 * 1.645, 3, 3 + 2 * 1.645], abs=0.01)
    two = Prediction(np.array([0.5, 0.5]), np.array([0.0, 10.0]), np.array([1e-4, 1e-4]))
    assert two.quantiles(0.25, 0.75) == pytest.approx([0, 10], abs=0.05)


def test_what_lies_at_a_known_point_is_known_and_far_away_it_is_not() -> None:
    low, middle, high = predicted([0, 0, 0, 5, 0], [-3.0, -3.02, -2.98, -1.0])
    assert middle == pytest.approx(-3, abs=0.05)
    assert high - low < 0.4
    far = predicted([0, 0, 0, 5, 30], [-3.0, -3.02, -2.98, -1.0])
    assert far[2] - far[0] > 5 * (high - low)


def test_noisy_values_are_averaged() -> None:
    low, middle, high = predicted([0] * 9, [-3.3, -2.7] * 4, noise=0.09)
    assert middle == pytest.approx(-3, abs=0.05)
    assert high - low < 2.2 * 1.645 * 0.3  # that of the value without its known noise


def test_a_trend_goes_on_beyond_what_is_known() -> None:
    places, values = [0.0, 0.5, 1.0, 1.5, 2.0, 4.0], [-1.0, -1.25, -1.5, -1.75, -2.0]
    _, followed, _ = predicted(places, values, slopes=True)
    _, flat, _ = predicted(places, values)
    assert followed < flat - 0.2
    assert followed == pytest.approx(-3, abs=0.5)
