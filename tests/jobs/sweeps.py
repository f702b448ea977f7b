"""What tests of sweeps share: a short one over learning rates."""

from __future__ import annotations

from typing import Any

from cnnlab.jobs.sweep_config import Between, SweepConfig
from cnnlab.training.config import RunConfig
from tests.samples import TINY

SHORT = RunConfig.model_validate({"architecture": TINY, "epochs": 2, "train_fraction": 0.1})
RATES = Between(low=0.0005, high=0.05, log=True)


def asked(**fields: Any) -> SweepConfig:
    return SweepConfig.model_validate({"base": SHORT, "space": {"learning_rate": RATES}, "trials": 3, **fields})
