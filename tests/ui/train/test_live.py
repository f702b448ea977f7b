"""How often a training's page is updated."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from cnnlab.jobs.job import Job
from cnnlab.ui.train import live


@pytest.mark.parametrize(
    ("device", "cores", "seconds", "pace"),
    [
        ("cpu", 2, 1.0, 1.0),
        ("cpu", 2, 5.0, 4.0),
        ("cpu", 2, 59.0, 4.0),
        ("cpu", 2, 60.0, 8.0),
        ("cpu", 1, 3600.0, 8.0),
        ("cpu", 4, 60.0, 1.0),
        ("cuda", 2, 60.0, 1.0),
    ],
)
def test_where_the_browser_takes_the_trainings_cores_updates_become_rarer(
    monkeypatch: pytest.MonkeyPatch, device: str, cores: int, seconds: float, pace: float
) -> None:
    monkeypatch.setattr(live, "available_cores", lambda: cores)
    job = SimpleNamespace(summary=SimpleNamespace(device=device), seconds=seconds)
    assert live.seconds_between_updates(cast(Job, job)) == pace
