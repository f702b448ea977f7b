"""What Train shows of a run: the same from memory as from disk, and nothing from disk while it ticks."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from json import dumps
from shutil import rmtree
from threading import get_ident

import pytest
import streamlit as st

from cnnlab.jobs.job import Job
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.training.config import Parent, RunConfig
from cnnlab.ui.shell.board import the_board
from cnnlab.ui.train.run_view import RunView
from tests.opened import opened
from tests.pages.driver import PAGES, checked, open_page
from tests.samples import TINY
from tests.trainings import wait_for_epoch


@pytest.fixture
def branch(listed_run: Run) -> Job:
    """A training of a branch of ``listed_run`` that outlasts the test."""
    config = listed_run.config.model_copy(update={"epochs": 1000, "parent": Parent(run=listed_run.id, epoch=1)})
    job = Job.start(config, RunStore(runs_folder()))
    wait_for_epoch(job)
    return job


@pytest.fixture
def ticks(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str]]]:
    """The parts of pages that were drawn as on a tick, each with what it opened."""
    drawn: list[tuple[str, list[str]]] = []
    fragment = st.fragment

    def watched(draw: Callable[..., None], run_every: float | None = None) -> Callable[..., None]:
        @wraps(draw)
        def tick(*args: object) -> None:
            with opened(get_ident()) as files:
                draw(*args)
            if run_every:
                drawn.append((draw.__qualname__, files))

        return fragment(tick, run_every=run_every)

    monkeypatch.setattr(st, "fragment", watched)
    return drawn


def test_the_ticks_of_a_running_job_open_no_file(branch: Job, ticks: list[tuple[str, list[str]]]) -> None:

    the_board().jobs[branch.run.id] = branch
    page = open_page("Train", branch.run)  # what is imported late is read here
    ticks.clear()
    for _ in range(3):
        checked(page.run())
    page.switch_page(PAGES["Home"])
    for _ in range(4):
        checked(page.run())
    assert [name for name, _ in ticks] == ["diagnosis", "_show", "resources"] * 3 + ["_badge"] * 4
    opened = {file for _, files in ticks for file in files}
    assert not [file for file in opened if not file.endswith("secrets.toml")]  # which may be there from now on


def test_a_run_looks_the_same_from_memory_and_from_disk() -> None:
    job = Job.start(RunConfig(architecture=TINY, epochs=1, train_fraction=0.1), RunStore(runs_folder()))
    job.join()
    live, stored = RunView.of(job), RunView(job.run)
    assert (live.title, live.config, live.summary) == (stored.title, stored.config, stored.summary)
    assert dumps(live.history.epochs) == dumps(stored.history.epochs)
    assert dumps(live.history.steps) == dumps(stored.history.steps)


def test_a_branch_is_drawn_beside_its_parent_while_that_is_here(branch: Job, listed_run: Run) -> None:
    stem = RunView.of(branch).stem
    assert stem is not None
    assert (stem.epoch, stem.history.epochs) == (1, listed_run.history().epochs)
    rmtree(listed_run.folder)
    assert RunView.of(branch).stem is None
    assert RunView(branch.run).stem is None


def test_a_run_that_was_deleted_is_gone_though_its_job_is_still_in_memory() -> None:
    job = Job.start(RunConfig(architecture=TINY, epochs=1, train_fraction=0.1), RunStore(runs_folder()))
    job.join()
    the_board().jobs[job.run.id] = job
    page = open_page("Train", job.run)
    assert page.query_params["run"] in (job.run.id, [job.run.id])
    RunStore(runs_folder()).delete(job.run.id)
    assert "is deleted" in checked(page.run()).warning[0].value
