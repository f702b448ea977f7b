from __future__ import annotations

from collections.abc import Generator
from threading import Event

import pytest
import torch

from cnnlab.jobs.worker import Background


def test_it_walks_to_the_end_and_keeps_the_latest_step() -> None:
    work = Background(number for number in range(5))
    work.join()
    assert (work.latest, work.is_running, work.is_cancelled, work.error) == (4, False, False, "")


def test_cancelling_ends_it_after_the_running_step() -> None:
    first, go_on = Event(), Event()

    def steps() -> Generator[int]:
        for number in range(1000):
            first.set()
            go_on.wait()
            yield number

    work = Background(steps())
    first.wait()
    work.cancel()
    go_on.set()
    work.join()
    assert (work.latest, work.is_cancelled, work.error) == (0, True, "")


def test_what_it_raises_is_kept_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    def steps() -> Generator[int]:
        yield 1
        raise ValueError("no more")

    work = Background(steps())
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

    work = Background(steps())
    work.cancel()
    work.join()
    assert closed.is_set()


def test_its_threads_are_its_own() -> None:
    def counts() -> Generator[int]:
        yield torch.get_num_threads()

    before = torch.get_num_threads()
    works = [Background(counts()), Background(counts(), threads=2)]
    for work in works:
        work.join()
    assert [work.latest for work in works] == [1, 2]
    assert torch.get_num_threads() == before
