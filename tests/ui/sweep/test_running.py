from __future__ import annotations

from contextlib import closing
from pathlib import Path

from benchmarks.fake_trials import Clock, FakeTrials
from cnnlab.jobs.search import search
from cnnlab.jobs.sweep import SweepStore
from cnnlab.ui.sweep.running import time_left
from tests.jobs.sweeps import asked


def test_the_time_left_is_that_of_the_trials_left_on_all_slots(tmp_path: Path) -> None:
    clock = Clock()
    sweep = SweepStore(tmp_path).create(asked(trials=6, pruner="none"))  # trials of two seconds each
    with closing(search(sweep, FakeTrials(clock.read, clock.wait, slots=2))) as steps:
        step = next(steps)
        assert time_left(sweep, None) == time_left(sweep, step) == ""
        while sweep.ended < 2:
            step = next(steps)
        assert time_left(sweep, step) == ", about 4 s left"
        begun = clock.now
        while clock.now < begun + 0.95:
            step = next(steps)
        assert time_left(sweep, step) == ", about 3 s left"
