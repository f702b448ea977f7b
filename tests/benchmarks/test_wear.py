from __future__ import annotations

import numpy as np
import pytest

from benchmarks import wear


def test_the_raw_figure_of_equals_is_too_high_and_the_corrected_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wear, "SESSIONS", 60)
    figures = wear._figures(np.random.default_rng(0).random((20, 1000)) < 0.9)
    assert figures["raw"] > 1.5
    assert abs(figures["corrected"]) < figures["raw"] / 2
    assert figures["covers"] > 0.85
    assert f"| {figures['raw']:+.3f} |" in wear.table({"equals": figures})
