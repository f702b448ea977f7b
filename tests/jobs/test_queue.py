from __future__ import annotations

from threading import Thread

import pytest

from cnnlab.jobs import queue as turns
from cnnlab.jobs.queue import TrainingQueue


def never() -> bool:
    return False


def test_as_many_are_at_work_as_the_limit_says() -> None:
    queue = TrainingQueue(2)
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
    queue, asked = TrainingQueue(1), []
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
    queue = TrainingQueue(1)
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
