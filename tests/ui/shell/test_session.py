from __future__ import annotations

from collections.abc import Callable
from threading import Timer

import pytest

from cnnlab.jobs.fair_share import Ticket
from cnnlab.jobs.job import Job
from cnnlab.jobs.queue import TrainingQueue
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.training.config import RunConfig
from cnnlab.ui.shell import session
from cnnlab.ui.shell.audience import Audience
from cnnlab.ui.shell.board import own_watch, the_board
from tests.pages.driver import checked, open_page
from tests.samples import TINY
from tests.trainings import wait_for

SESSION = "streamlit.runtime.caching.cache_resource_api.get_session_id_or_throw"


class Countdowns:
    """Countdowns of an audience, which end when they are told to."""

    def __init__(self) -> None:
        self.ends: list[Callable[[], None]] = []

    def __call__(self, seconds: float, end: Callable[[], None]) -> Timer:
        self.ends.append(end)
        return Timer(0.0, lambda: None)


@pytest.fixture
def countdowns(monkeypatch: pytest.MonkeyPatch) -> Countdowns:
    """A server with one slot, and a session of its own."""
    monkeypatch.setattr("cnnlab.jobs.executor.Local.queue", TrainingQueue(1))
    monkeypatch.setattr(SESSION, lambda: "a new session")  # all of AppTest's are one
    countdowns = Countdowns()
    monkeypatch.setattr(the_board(), "audience", Audience(120.0, countdowns))
    return countdowns


def added(epochs: int, owner: str) -> Job:
    """A training among the server's."""
    config = RunConfig(architecture=TINY, epochs=epochs, train_fraction=0.2)
    job = Job.start(config, RunStore(runs_folder()), threads=1, ticket=Ticket(owner, in_order=True))
    the_board().jobs[job.run.id] = job
    return job


@pytest.mark.slow
def test_who_comes_back_finds_all_trainings_and_who_leaves_ends_them_all(countdowns: Countdowns) -> None:
    first = added(1000, "one")
    wait_for(first, "training")
    second, others = added(2, "one"), added(3, "another")
    wait_for(second, "queued")
    checked(open_page("Train", first.run))  # as it is reloaded
    assert session.owner() == "one"
    assert session.trainings() == [first, second]
    own_watch().release()
    assert len(countdowns.ends) == 2
    for end in countdowns.ends:
        end()
    for job in (first, second):
        job.join()
        assert job.run.summary.status == "stopped"
    others.stop()
