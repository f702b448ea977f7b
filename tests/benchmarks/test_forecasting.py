from __future__ import annotations

import numpy as np
import pytest

from benchmarks import forecasting
from cnnlab.forecasting.forecast import Result
from tests.forecasting.made import result


@pytest.fixture
def known() -> list[Result]:
    draws = np.random.default_rng(0)
    rates = 2 ** -draws.uniform(4, 11, 14)
    return [result(float(0.9 - 0.02 * abs(np.log2(rate) + 7)), learning_rate=rate) for rate in rates]


def test_each_run_is_forecast_from_those_before_it(known: list[Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecasting, "ORDERS", 3)
    judged = forecasting.in_random_orders(known)
    assert [one.earlier for one in judged] == [*range(5, 14)] * 3
    figures = forecasting.summed([one for one in judged if one.earlier >= 10])
    assert figures["forecasts"] == 12
    assert figures["error"] < figures["nearest"] + 1
    assert f"| {figures['error']:.2f} |" in forecasting.table({"some": figures})


def test_the_error_of_a_coverage_is_that_between_runs() -> None:
    held = forecasting.Judged(run=0, earlier=5, error=1.0, nearest=1.0, holds=True, width=1.0, is_beyond=False)
    missed = held._replace(run=1, holds=False)
    figures = forecasting.summed([held] * 8 + [missed] * 8)
    assert (figures["runs"], figures["holds"]) == (2, 0.5)
    assert figures["holds_error"] == pytest.approx(0.5 / 2**0.5)
    silent = missed._replace(is_beyond=True)
    assert forecasting.summed([held] * 9 + [silent])["silent"] == 0.1
    assert forecasting.summed([held] * 9 + [silent])["holds"] == 1
