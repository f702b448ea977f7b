from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from threading import Event, get_ident
from time import sleep

import pytest
import torch

from cnnlab.errors import CnnLabError
from cnnlab.jobs import worker
from cnnlab.jobs.executor import LOCAL
from cnnlab.jobs.queue import TrainingQueue
from cnnlab.jobs.worker import Worker
from cnnlab.training.config import ConfigError
from tests.samples import Stalled


def test_it_walks_to_the_end_and_keeps_the_latest_step() -> None:
    work = Worker(number for number in range(5))
    work.join()
    assert (work.latest, work.is_running, work.is_cancelled, work.error) == (4, False, False, "")


def test_cancelling_ends_it_after_the_running_step() -> None:
    first, go_on = Event(), Event()

    def steps() -> Generator[int]:
        for number in range(1000):
            first.set()
            go_on.wait()
            yield number

    work = Worker(steps())
    first.wait()
    work.cancel()
    go_on.set()
    work.join()
    assert (work.latest, work.is_cancelled, work.error) == (0, True, "")


@pytest.mark.parametrize("wait", [0.0, 60.0])
def test_what_is_over_cannot_be_cancelled(wait: float) -> None:
    work = Worker((number for number in range(5)), wait=wait)
    if work.is_running:
        work.join()
    work.cancel()  # as when nobody has watched it for a while
    assert (work.latest, work.is_cancelled) == (4, False)


def test_what_it_raises_is_kept_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    def steps() -> Generator[int]:
        yield 1
        raise ValueError("no more")

    work = Worker(steps())
    work.join()
    assert (work.latest, work.error) == (1, "ValueError: no more")
    assert "failed" in caplog.text


def test_a_cancelled_generator_is_closed() -> None:
    closed = Event()

    def steps() -> Generator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.set()

    work = Worker(steps())
    work.cancel()
    work.join()
    assert closed.is_set()


def test_its_threads_are_its_own() -> None:
    def counts() -> Generator[int]:
        yield torch.get_num_threads()

    before = torch.get_num_threads()
    works = [Worker(counts()), Worker(counts(), threads=2)]
    for work in works:
        work.join()
    assert [work.latest for work in works] == [1, 2]
    assert torch.get_num_threads() == before


def test_a_short_computation_is_over_at_once() -> None:
    work = Worker((get_ident() for _ in range(3)), wait=60)
    assert not work.is_running
    assert work.latest == get_ident()
    work.join(0)


def test_a_longer_one_goes_on_in_its_thread_where_the_caller_left_it() -> None:
    seen: list[tuple[int, int]] = []

    def steps() -> Generator[int]:
        for number in range(4):
            sleep(0.02)
            seen.append((number, get_ident()))
            yield number

    work = Worker(steps(), wait=0.03)
    work.join()
    numbers, threads = zip(*seen, strict=True)
    assert numbers == (0, 1, 2, 3)
    assert work.latest == 3
    assert threads[0] == get_ident() != threads[-1]


def test_what_a_short_one_raises_is_kept_too() -> None:
    def steps() -> Generator[int]:
        yield 1
        raise CnnLabError("it did not work")

    work = Worker(steps(), wait=60)
    assert (work.latest, work.error, work.is_running) == (1, "it did not work", False)


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
    queue = TrainingQueue(1)
    monkeypatch.setattr("cnnlab.jobs.worker.training_queue", queue)
    return queue


def test_one_that_trains_walks_to_the_last_step_and_gives_its_turn_back(one_turn: TrainingQueue) -> None:
    work = Worker(counting(3), trains=True)
    work.join()
    assert work.latest == Counted(1.0)
    assert not work.error
    assert one_turn.take("another", lambda: False)


def test_it_waits_while_a_training_has_the_turn(one_turn: TrainingQueue) -> None:
    one_turn.take("a training", lambda: False)
    work = Worker(counting(1), trains=True)
    second = Worker(counting(1), trains=True)
    assert work.latest is None
    one_turn.leave("a training")
    for each in (work, second):
        each.join()
        assert each.latest == Counted(1.0)
        assert each.place == 0


def test_it_can_be_cancelled_while_it_waits(one_turn: TrainingQueue) -> None:
    one_turn.take("a training", lambda: False)
    work = Worker(counting(1), trains=True)
    work.cancel()
    work.join()
    assert work.latest is None
    assert work.is_cancelled


def test_cancelled_at_work_it_ends_after_the_running_step_and_gives_its_turn_back(one_turn: TrainingQueue) -> None:
    flag = Event()
    work = Worker(waiting_for(flag), trains=True)
    work.cancel()
    flag.set()
    work.join()
    assert one_turn.take("another", lambda: False)


def test_after_its_slice_it_lets_another_work_before_it_goes_on(
    one_turn: TrainingQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cnnlab.jobs.fair_share.SLICE_SECONDS", 0.0)
    flag = Event()
    first = Worker(waiting_for(flag), trains=True)
    second = Worker(counting(2), trains=True)
    flag.set()
    for each in (first, second):
        each.join()
        assert each.latest == Counted(1.0)


def test_one_that_fails_says_so_and_gives_its_turn_back(one_turn: TrainingQueue) -> None:
    def failing() -> Generator[Counted]:
        yield Counted(0.5)
        raise ValueError("no such filter")

    work = Worker(failing(), trains=True)
    work.join()
    assert work.error == "ValueError: no such filter"
    assert one_turn.take("another", lambda: False)


def test_its_data_come_before_its_turn_and_it_can_be_cancelled_while_they_do(
    one_turn: TrainingQueue, stalled: Stalled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path))
    work = Worker(counting(1), dataset="stalled", trains=True)
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

    work = Worker(refused(), trains=True)
    work.join()
    assert work.error == "batch_size: lower it to 64"
    assert not caplog.text


def test_the_turns_are_those_of_the_trainings() -> None:
    assert vars(worker)["training_queue"] is LOCAL.queue
