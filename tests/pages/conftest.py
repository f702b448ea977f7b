"""What tests of pages share: a session that trains, and sessions of somebody in a class."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.jobs.job import Job, running_jobs
from cnnlab.people.rights import Person
from cnnlab.people.rules import ClassRules
from cnnlab.ui.shell import person
from tests.pages.driver import TIMEOUT, button, checked, open_page
from tests.trainings import wait_for

ActAs = Callable[[Person], None]


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages wait for what they compute however slow the machine is: nothing ticks in AppTest."""
    monkeypatch.setattr("cnnlab.ui.widgets.awaited.AT_ONCE_SECONDS", TIMEOUT)


@pytest.fixture
def training() -> Iterator[tuple[AppTest, Job]]:
    """A Train page whose session trains, and its job; stopped at the end."""
    page = open_page("Train", architecture="quick", epochs="1000", train_fraction="0.3")  # in short epochs
    button(page, "Train").click().run()
    (job,) = running_jobs()
    wait_for(job, "training")
    yield checked(page), job
    job.stop()
    job.join()


@pytest.fixture
def act_as(monkeypatch: pytest.MonkeyPatch) -> ActAs:
    """Makes all sessions be of somebody."""
    monkeypatch.setattr(person, "class_rules", lambda: ClassRules(code="blue whale"))
    monkeypatch.setattr(person, "browser_token", lambda: "k" * 43)
    return lambda somebody: monkeypatch.setattr(person, "me", lambda: somebody)
