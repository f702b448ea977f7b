"""Several trainings of one person: added on Train, listed with their places, removed, and trained in order."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.jobs.job import Job, running_jobs
from cnnlab.jobs.queue import TrainingQueue
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.ui.shell import session
from cnnlab.ui.shell.board import the_board
from tests.pages.driver import button, checked, open_page, texts
from tests.trainings import wait_for, wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """Train in a session that trains on a server with one slot."""
    monkeypatch.setattr("cnnlab.jobs.executor.Local.queue", TrainingQueue(1))
    page = open_page("Train", architecture="quick", epochs="1000", train_fraction="0.05")
    button(page, "Train").click().run()
    (job,) = running_jobs()
    wait_for(job, "training")
    return checked(page.run())


def add(page: AppTest, epochs: int) -> Job:
    """Add a training of so many epochs, and wait until it waits for its turn."""
    page.number_input(key="form.epochs").set_value(epochs).run()
    button(page, "Add to queue").click().run()
    (job,) = [job for job in running_jobs() if job.config.epochs == epochs]
    wait_for(job, "queued")
    checked(page.run())
    return job


def run_of(page: AppTest) -> str:
    """The id of the run that the page shows."""
    value = page.query_params["run"]
    return value if isinstance(value, str) else value[0]


def test_trainings_are_listed_removed_and_start_by_themselves_in_order(page: AppTest) -> None:
    shown = run_of(page)
    assert "Your other trainings" not in texts(page)
    second, third = add(page, 2), add(page, 1)
    assert run_of(page) == shown
    assert "number 1 in the queue" in texts(page)
    assert "number 2 in the queue" in texts(page)
    page.button(key=f"queue.remove.{second.run.id}").click().run()
    assert not second.is_running
    assert not second.run.folder.exists()
    assert not RunStore(runs_folder()).deleted()
    assert "number 2 in the queue" not in texts(checked(page))

    page.button(key=f"queue.show.{third.run.id}").click().run()
    assert run_of(page) == third.run.id
    assert f"queue.show.{shown}" in [found.key for found in page.button]
    assert f"queue.remove.{shown}" not in [found.key for found in page.button]  # it trains
    first = the_board().jobs[shown]
    first.stop()
    third.join()
    assert third.run.summary.status == "finished"
    assert "Your other trainings" not in texts(checked(page.run()))


def test_the_same_settings_are_queued_once(page: AppTest) -> None:
    second = add(page, 2)
    button(page, "Add to queue").click().run()
    assert len(running_jobs()) == 2
    session.remove(second)
    assert len(running_jobs()) == 1


def test_too_many_are_refused_with_a_reason(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnlab.ui.shell.session.MOST_QUEUED", 1)
    page.number_input(key="form.epochs").set_value(2).run()
    button(page, "Add to queue").click().run()
    assert "remove one, or wait" in page.error[0].value
    assert len(running_jobs()) == 1


def test_one_that_was_trained_before_keeps_its_run_when_it_is_removed(page: AppTest) -> None:
    trained = the_board().jobs[run_of(page)]
    wait_until(trained, lambda: trained.history.epochs)
    session.remove(trained)
    assert trained.is_running  # it has begun
    trained.stop()
    trained.join()
    other = Job.start(trained.config, RunStore(runs_folder()))
    wait_for(other, "training")
    again = Job.resume(trained.run)
    wait_for(again, "queued")
    session.remove(again)
    assert not again.is_running
    assert trained.run.epochs()
