"""What tests of pages share: a session that trains."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.jobs.job import Job, running_jobs
from tests.pages.driver import TIMEOUT, button, checked, open_page
from tests.trainings import wait_for


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
