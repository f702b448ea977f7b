"""Experiments take turns with trainings and end when they are told to."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import pytest

from cnnlab.jobs import experiment, job
from cnnlab.jobs.experiment import Experiment
from cnnlab.jobs.queue import TrainingQueue
from cnnlab.training.config import ConfigError
from tests.samples import Stalled


@dataclass(frozen=True)
class Counted:
    done: float


def counting(steps: int) -> Generator[Counted]:
    for step in range(1, steps + 1):
        yield Counted(step / steps)


def waiting_for(flag: Event) -> Generator[Counted]:
    yield Counted(0.5)
    flag.wait()
    yield Counted(1.0)


@pytest.fixture
def one_turn(monkeypatch: pytest.MonkeyPatch) -> TrainingQueue:
    turns = TrainingQueue(1)
    monkeypatch.setattr("cnnlab.jobs.experiment.turns", turns)
    return turns


def test_it_walks_to_the_last_step_and_gives_its_turn_back(one_turn: TrainingQueue) -> None:
    work = Experiment(counting(3))
    work.join()
    assert work.latest == Counted(1.0)
    assert not work.error
    assert one_turn.take("another", lambda: False)


def test_it_waits_while_a_training_has_the_turn(one_turn: TrainingQueue) -> None:
    one_turn.take("a training", lambda: False)
    work = Experiment(counting(1))
    second = Experiment(counting(1))
    assert work.latest is None
    one_turn.leave("a training")
    for each in (work, second):
        each.join()
        assert each.latest == Counted(1.0)
        assert each.place == 0


def test_it_can_be_cancelled_while_it_waits(one_turn: TrainingQueue) -> None:
    one_turn.take("a training", lambda: False)
    work = Experiment(counting(1))
    work.cancel()
    work.join()
    assert work.latest is None
    assert work.is_cancelled


def test_cancelled_at_work_it_ends_after_the_running_step_and_gives_its_turn_back(one_turn: TrainingQueue) -> None:
    flag = Event()
    work = Experiment(waiting_for(flag))
    work.cancel()
    flag.set()
    work.join()
    assert one_turn.take("another", lambda: False)


def test_after_its_slice_it_lets_another_work_before_it_goes_on(
    one_turn: TrainingQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cnnlab.jobs.queue.SLICE_SECONDS", 0.0)
    flag = Event()
    first = Experiment(waiting_for(flag))
    second = Experiment(counting(2))
    flag.set()
    for each in (first, second):
        each.join()
        assert each.latest == Counted(1.0)


def test_one_that_fails_says_so_and_gives_its_turn_back(one_turn: TrainingQueue) -> None:
    def failing() -> Generator[Counted]:
        yield Counted(0.5)
        raise ValueError("no such filter")

    work = Experiment(failing())
    work.join()
    assert work.error == "ValueError: no such filter"
    assert one_turn.take("another", lambda: False)


def test_its_data_come_before_its_turn_and_it_can_be_cancelled_while_they_do(
    one_turn: TrainingQueue, stalled: Stalled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path))
    work = Experiment(counting(1), dataset="stalled")
    stalled.begun.wait()
    assert one_turn.take("a training", lambda: False)
    work.cancel()
    work.join(30)
    assert not work.is_running


def test_what_a_user_can_mend_is_told_without_a_traceback(
    one_turn: TrainingQueue, caplog: pytest.LogCaptureFixture
) -> None:
    def refused() -> Generator[Counted]:
        yield Counted(0.5)
        raise ConfigError("batch_size: lower it to 64")

    work = Experiment(refused())
    work.join()
    assert work.error == "batch_size: lower it to 64"
    assert not caplog.text


def test_the_turns_are_those_of_the_trainings() -> None:
    assert vars(experiment)["turns"] is job.turns
