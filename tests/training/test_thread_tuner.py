"""The number of threads of a training, on a machine whose speed and load the test decides."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cnnlab.training import thread_tuner
from cnnlab.training.thread_tuner import LONGEST_WAIT, WINDOW, ThreadRepeater, ThreadTuner

Speeds = dict[int, tuple[float, float]]  # threads: steps/s, and the share of the time that the training's thread runs

QUIET: Speeds = {1: (10, 1), 2: (19, 0.98), 4: (30, 0.98)}
ONE_BUSY: Speeds = {1: (10, 1), 2: (5, 0.55), 4: (6, 0.6)}
ALL_BUSY: Speeds = {1: (5, 0.5), 2: (6, 0.5), 4: (6, 0.5)}


class Machine:
    """A clock that goes on with each step as fast as the threads and the load let it."""

    def __init__(self, tuner: ThreadTuner) -> None:
        self.tuner, self.clock, self.running, self.step = tuner, 0.0, 0.0, 0
        self.chosen: list[int] = []

    def train(self, seconds: float, speeds: Speeds) -> list[int]:
        """The threads of each step of that time."""
        self.chosen, until = [], self.clock + seconds
        while self.clock < until:
            self.step += 1
            self.tuner.choose(self.step)
            speed, share = speeds[self.tuner.current]
            self.clock += 1 / speed
            self.running += share / speed
            self.chosen.append(self.tuner.current)
        return self.chosen


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Machine]:
    def with_most(most: int, *changes: tuple[int, int]) -> Machine:
        made = Machine(ThreadTuner(most, changes))
        monkeypatch.setattr(thread_tuner, "perf_counter", lambda: made.clock)
        monkeypatch.setattr(thread_tuner, "thread_time", lambda: made.running)
        return made

    return with_most


@pytest.mark.parametrize("most", [1, 2, 4])
def test_a_quiet_machine_keeps_all_threads(machine: Callable[..., Machine], most: int) -> None:
    assert set(machine(most).train(600, QUIET)) == {most}


def test_beside_a_busy_program_fewer_threads_take_over_and_all_come_back_after_it(
    machine: Callable[..., Machine],
) -> None:
    here = machine(2)
    here.train(5, QUIET)
    assert set(here.train(10, ONE_BUSY)[-20:]) == {1}
    long = here.train(300, ONE_BUSY)
    assert long.count(2) < 0.02 * len(long)  # a trial now and then
    assert here.train(LONGEST_WAIT + 4, QUIET)[-1] == 2
    assert set(here.train(60, QUIET)) == {2}


def test_four_threads_become_one_and_four_again(machine: Callable[..., Machine]) -> None:
    here = machine(4)
    assert here.train(10, ONE_BUSY | {2: (7, 0.6)})[-1] == 1
    assert here.train(2 * LONGEST_WAIT + 4, QUIET)[-1] == 4


def test_where_fewer_threads_gain_nothing_trials_get_rare(machine: Callable[..., Machine]) -> None:
    here = machine(2)
    here.train(60, ALL_BUSY)
    later = here.train(300, ALL_BUSY)
    assert later[-1] == 2
    assert 0 < later.count(1) < 0.05 * len(later)


def test_time_between_steps_does_not_count(machine: Callable[..., Machine]) -> None:
    here = machine(2)
    for _ in range(20):
        here.train(WINDOW, QUIET)
        here.clock += 3  # the thread rests, as for an evaluation or a pause
        here.tuner.rest()
    assert here.train(5, QUIET)[-1] == 2


def test_changes_of_a_former_training_are_repeated_and_the_load_followed_after_them(
    machine: Callable[..., Machine],
) -> None:
    here = machine(2, (4, 1), (40, 2), (50, 1))
    chosen = here.train(50, QUIET)
    assert chosen[:50] == [2] * 3 + [1] * 36 + [2] * 10 + [1]
    assert chosen[-1] == 2


def test_a_training_that_continues_begins_with_the_threads_of_its_step(machine: Callable[..., Machine]) -> None:
    here = machine(2, (4, 1), (30, 2))
    here.tuner.go_on_after(9)
    assert here.tuner.current == 1
    here.step = 9
    assert here.train(0.5, QUIET)[0] == 1


def test_a_repeater_takes_the_same_threads_whatever_the_load(machine: Callable[..., Machine]) -> None:
    here = machine(2)
    here.tuner = ThreadRepeater(2, [(4, 1), (9, 2)])
    assert here.train(20, ONE_BUSY)[:12] == [2] * 3 + [1] * 5 + [2] * 4
    assert set(here.train(60, ALL_BUSY)) == {2}
