from __future__ import annotations

from typing import Any, cast

import pytest

from cnnlab.cluster.connection import Process
from cnnlab.cluster.pool import Pool
from cnnlab.cluster.remote import FIRST_SLICE, SLICE, RemoteTrainer


class FakeProcess:
    """A process that trains for so many requests, and notes them."""

    def __init__(self, requests: int) -> None:
        self.left = requests
        self.asked: list[tuple[Any, ...]] = []

    def ask(self, method: str, *values: Any) -> dict[str, Any]:
        self.asked.append(values)
        self.left -= 1
        tick = {"event": {"kind": "tick", "step": len(self.asked)}, "weights": None, "checkpoint": None}
        return {"reports": [tick], "is_over": not self.left}


def trainer(process: FakeProcess) -> RemoteTrainer:
    return RemoteTrainer(cast("Process", process), cast("Pool", None))


def test_it_looks_often_at_first_and_then_seldom() -> None:
    process = FakeProcess(12)
    steps = [getattr(event, "step", 0) for event, _ in trainer(process).events()]
    slices = [seconds for seconds, _, _ in process.asked]
    assert steps == list(range(1, 13))
    assert slices[:3] == pytest.approx([FIRST_SLICE, 2 * FIRST_SLICE, 4 * FIRST_SLICE])
    assert slices[-1] == SLICE
    assert slices == sorted(slices)


def test_what_is_asked_between_two_requests_goes_with_the_next_one_alone() -> None:
    process = FakeProcess(3)
    work = trainer(process)
    for number, _ in enumerate(work.events()):
        if number == 0:
            work.change_learning_rate(0.1)
            work.change_learning_rate(0.2)
            work.rest(2.0)
            work.rest(1.0)
    assert [values[1:] for values in process.asked] == [(None, 0.0), (0.2, 3.0), (None, 0.0)]
