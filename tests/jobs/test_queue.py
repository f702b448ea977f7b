from __future__ import annotations

from threading import Event, Thread

from cnnlab.jobs.fair_share import SLICE_SECONDS, Ticket
from cnnlab.jobs.queue import TrainingQueue


def never() -> bool:
    return False


class Waits:
    """Whether ``who`` gives up, which the queue asks as soon as they wait, and whether their turn came."""

    def __init__(self, queue: TrainingQueue, who: str) -> None:
        self.asked, self.is_given_up = Event(), False
        self.turns: list[bool] = []
        self.thread = Thread(target=lambda: self.turns.append(queue.take(who, self._gives_up)))
        self.thread.start()
        self.asked.wait()

    def _gives_up(self) -> bool:
        self.asked.set()
        return self.is_given_up


def test_as_many_are_at_work_as_the_limit_says() -> None:
    queue = TrainingQueue(2)
    assert queue.take("a", never)
    assert queue.take("b", never)
    third = Waits(queue, "c")
    assert queue.place("c") == 1
    queue.leave("a")
    third.thread.join()
    assert third.turns == [True]
    assert queue.place("c") == 0


def test_a_queue_that_grows_lets_those_that_wait_begin() -> None:
    queue = TrainingQueue(1)
    assert queue.slots == 1
    assert queue.take("a", never)
    second = Waits(queue, "b")
    queue.resize(2)
    second.thread.join()
    assert second.turns == [True]
    assert queue.slots == 2
    queue.resize(1)
    assert queue.has_turn("a")
    assert queue.has_turn("b")


def test_who_gives_up_gets_no_turn_and_holds_up_nobody() -> None:
    queue = TrainingQueue(1)
    assert queue.take("a", never)
    waiting = Waits(queue, "b")
    assert queue.place("b") == 1
    waiting.is_given_up = True
    queue.wake()
    waiting.thread.join()
    assert waiting.turns == [False]
    assert queue.place("b") == 0
    queue.leave("a")
    assert queue.take("c", never)


def test_a_turn_is_over_only_after_its_time_and_while_another_waits() -> None:
    times = [0.0]
    queue = TrainingQueue(1, clock=lambda: times[-1])
    queue.take("a", never)
    times.append(SLICE_SECONDS)
    assert not queue.is_over("a")
    other = Waits(queue, "b")
    assert queue.is_over("a")
    times.append(0.5)
    assert not queue.is_over("a")
    queue.leave("a")
    other.thread.join()


def test_who_rests_lets_another_train_and_may_come_back() -> None:
    queue = TrainingQueue(1)
    assert queue.take("a", never)
    other = Waits(queue, "b")
    queue.rest("a")
    other.thread.join()
    assert other.turns == [True]
    assert not queue.has_turn("a")
    queue.leave("b")
    assert queue.take("a", never)


def test_an_owner_with_nothing_running_comes_before_the_older_trainings_of_another() -> None:
    queue = TrainingQueue(1)
    for number in range(3):
        queue.enter(f"trial {number}", Ticket("a sweep's"))
    queue.enter("first", Ticket("a pupil"))
    assert [queue.place(f"trial {number}") for number in range(3)] == [0, 2, 3]
    assert queue.place("first") == 1
    queue.leave("trial 0")
    assert queue.has_turn("first")
