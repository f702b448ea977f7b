from __future__ import annotations

import numpy as np
import pytest

from benchmarks import luck
from benchmarks.small_runs import SEEDS
from cnnlab.evaluation.metrics import Answers


def test_seeds_of_one_config_are_seldom_called_better(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(luck, "DRAWS", 3)
    draws = np.random.default_rng(0)
    of_the_settings = draws.normal(4, 3, 2000)
    margins = np.stack([of_the_settings + draws.normal(0, 1.5, 2000) for _ in range(SEEDS)])
    labels = np.zeros(2000, int)
    seeds = [Answers(np.stack([one, np.zeros(2000)], 1), labels, ("a", "b")) for one in margins]
    figures = luck._figures(seeds)
    assert figures["better"] <= 0.05 < figures["mcnemar"] + 0.05
    assert figures["held"] > 0.9
    assert figures["lowest"] <= figures["held"]
    assert "| **judged, all 1** |" in luck.table({"judged on: a, mnist": figures})
