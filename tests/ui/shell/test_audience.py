from __future__ import annotations

from collections.abc import Callable, Generator
from threading import Event, Timer

import pytest

from cnnlab.jobs.worker import Worker
from cnnlab.ui.shell.audience import Audience, Watcher


class Clock:
    """Timers that ring when the test says how many seconds have passed."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[Alarm] = []

    def timer(self, seconds: float, ring: Callable[[], None]) -> Timer:
        self.timers.append(Alarm(self.now + seconds, ring))
        return self.timers[-1]

    def passes(self, seconds: float) -> None:
        self.now += seconds
        for alarm in self.timers:
            if alarm.is_set and alarm.at <= self.now:
                alarm.is_set = False
                alarm.ring()


class Alarm(Timer):
    def __init__(self, at: float, ring: Callable[[], None]) -> None:
        super().__init__(0, ring)
        self.at, self.ring, self.is_set = at, ring, False

    def start(self) -> None:
        self.is_set = True

    def cancel(self) -> None:
        self.is_set = False


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ended() -> list[str]:
    return []


@pytest.fixture
def audience(clock: Clock) -> Audience:
    return Audience(10, clock.timer)


def test_work_that_nobody_watches_ends_after_the_grace(audience: Audience, clock: Clock, ended: list[str]) -> None:
    audience.watch("run")
    clock.passes(100)
    audience.leave("run", lambda: ended.append("run"))
    clock.passes(9)
    assert not ended
    clock.passes(1)
    assert ended == ["run"]


def test_a_second_close_begins_a_whole_grace(audience: Audience, clock: Clock, ended: list[str]) -> None:
    audience.watch("run")
    audience.leave("run", lambda: ended.append("first"))
    clock.passes(9)
    audience.watch("run")
    audience.leave("run", lambda: ended.append("second"))
    clock.passes(9)
    assert not ended
    clock.passes(1)
    assert ended == ["second"]


def test_a_connection_that_comes_and_goes_loses_nothing(audience: Audience, clock: Clock, ended: list[str]) -> None:
    audience.watch("run")
    for _ in range(50):
        audience.leave("run", lambda: ended.append("run"))
        clock.passes(3)
        audience.watch("run")
        clock.passes(1)
    clock.passes(100)
    assert not ended


def test_as_long_as_one_watches_nothing_ends_and_each_work_is_its_own(
    audience: Audience, clock: Clock, ended: list[str]
) -> None:
    for work in ("run", "run", "layout"):
        audience.watch(work)
    audience.leave("run", lambda: ended.append("run"))
    audience.leave("layout", lambda: ended.append("layout"))
    clock.passes(100)
    assert ended == ["layout"]
    audience.leave("run", lambda: ended.append("run"))
    clock.passes(10)
    assert ended == ["layout", "run"]


def test_one_who_comes_back_while_the_timer_rings_is_in_time(
    audience: Audience, clock: Clock, ended: list[str]
) -> None:
    audience.watch("run")
    audience.leave("run", lambda: ended.append("run"))
    (alarm,) = clock.timers
    audience.watch("run")
    alarm.ring()  # it had begun to, and waited for the lock
    assert not ended


def iter_until(over: Event) -> Generator[int]:
    yield 0
    over.wait()


def test_a_computation_is_cancelled_once_every_session_that_keeps_it_is_gone(audience: Audience, clock: Clock) -> None:
    goes_on = Event()
    work = Worker(iter_until(goes_on))
    sessions = [Watcher(audience), Watcher(audience)]
    for session in (*sessions, sessions[0]):  # which draws it twice
        session.add(work, work.cancel)
    sessions[0].release()
    clock.passes(100)
    assert not work.is_cancelled
    sessions[1].release()
    sessions[1].add(work, work.cancel)  # a script that still runs watches for nobody
    clock.passes(10)
    assert work.is_cancelled
    goes_on.set()
    work.join()
