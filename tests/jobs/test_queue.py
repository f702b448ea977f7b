from __future__ import annotations

from threading import Thread

import pytest

from cnnlab.jobs import queue as turns
from cnnlab.jobs.queue import Turns
from cnnlab.training.device import threads_each, trainings_at_once


def never() -> bool:
    return False


def test_as_many_are_at_work_as_the_limit_says() -> None:
    queue = Turns(2)
    assert queue.take("a", never)
    assert queue.take("b", never)
    third = Thread(target=queue.take, args=["c", never])
    third.start()
    while not queue.place("c"):
        third.join(0.01)
    queue.leave("a")
    third.join()
    assert queue.place("c") == 0


def test_who_gives_up_gets_no_turn_and_holds_up_nobody() -> None:
    queue, asked = Turns(1), []
    assert queue.take("a", never)
    waiting = Thread(target=lambda: asked.append(queue.take("b", lambda: bool(gone))))
    gone: list[int] = []
    waiting.start()
    while not queue.place("b"):
        waiting.join(0.01)
    gone.append(1)
    queue.wake()
    waiting.join()
    assert asked == [False]
    queue.leave("a")
    assert queue.take("c", never)


def test_a_turn_is_over_only_after_its_time_and_while_another_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = Turns(1)
    queue.take("a", never)
    other = Thread(target=queue.take, args=["b", never])
    monkeypatch.setattr(turns, "SLICE_SECONDS", 0.0)
    assert not queue.is_over("a")
    other.start()
    while not queue.is_over("a"):
        other.join(0.01)
    monkeypatch.setattr(turns, "SLICE_SECONDS", 1000.0)
    assert not queue.is_over("a")
    queue.leave("a")
    other.join()


@pytest.mark.parametrize(
    ("cores", "asked", "at_once", "threads"),
    [(2, "", 1, 2), (8, "", 2, 4), (16, "3", 3, 5), (1, "", 1, 1), (2, "5", 5, 1), (4, "0", 1, 4)],
)
def test_the_limit_follows_the_machine_and_threads_never_outnumber_its_cores(
    cores: int, asked: str, at_once: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "available_cores", lambda: cores)
    monkeypatch.setenv("CNNLAB_TRAININGS", asked)
    assert (trainings_at_once(), threads_each()) == (at_once, threads)


@pytest.mark.parametrize(("asked", "at_once"), [("", 1), ("3", 3)])
def test_a_gpu_is_one_trainings_however_many_cores_there_are(
    asked: str, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "available_cores", lambda: 64)
    monkeypatch.setenv("CNNLAB_TRAININGS", asked)
    assert trainings_at_once(on_gpu=True) == at_once
    assert threads_each() == 64 // (int(asked) if asked else 16)
