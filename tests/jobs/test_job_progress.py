from __future__ import annotations

import pytest

from cnnlab.jobs import job_progress
from cnnlab.jobs.job_progress import JobProgress
from cnnlab.training.events import Prepared


class Clock:
    """Seconds that pass where a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(job_progress, "monotonic", clock)
    return clock


def test_the_time_left_is_that_of_steps_without_what_came_before_them(clock: Clock) -> None:
    progress = JobProgress()
    progress.steps = 100
    progress.begin(0, seconds=10.0)
    progress.prepare(Prepared(images=0, of=40, computed=0))
    clock.now += 60
    progress.prepare(Prepared(images=30, of=40, computed=30))
    assert (progress.state, progress.share, progress.seconds_left) == ("preparing", 0.75, 20.0)
    progress.count(0)
    assert (progress.state, progress.share, progress.seconds) == ("training", 0.0, 10.0)
    clock.now += 5
    progress.count(20)
    assert (progress.share, progress.seconds_left) == (0.2, 60.0)


def test_a_pause_takes_no_time(clock: Clock) -> None:
    progress = JobProgress()
    progress.steps = 10
    assert (progress.seconds, progress.seconds_left) == (0.0, None)
    progress.begin(4, seconds=8.0)
    progress.rest()
    progress.state = "paused"
    clock.now += 100
    assert (progress.seconds, progress.seconds_left) == (8.0, None)
    assert progress.go_on() == 100.0
    assert (progress.state, progress.seconds, progress.seconds_left) == ("training", 8.0, 12.0)


def test_it_is_complete_after_its_last_step_and_runs_until_a_state_that_ends_it() -> None:
    progress = JobProgress()
    assert not progress.is_complete  # nothing is known yet
    progress.steps = 2
    progress.begin(1, 0.0)
    assert not progress.is_complete
    progress.count(2)
    assert progress.is_complete
    assert progress.is_running
    progress.state = "finished"
    assert not progress.is_running
