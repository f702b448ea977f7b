"""A few of the faults of ``make faults``."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest

from cnnlab.runs.run import Run
from cnnlab.training.config import RunConfig
from tests.browser.server import ended, server, started
from tests.faults import additions, disks
from tests.faults.inputs import BYTES, refused
from tests.faults.kills import survived, survived_at_each_write
from tests.faults.sessions import PAGES
from tests.faults.visitor import PATIENCE, Render, visit
from tests.faults.writers import unharmed
from tests.samples import TINY

pytestmark = pytest.mark.slow

BROKEN = {
    "raises": "raise ValueError('broken')",
    "unreadable": "this is not Python",
    "later": """
import streamlit as st

@st.fragment(run_every=0.1)
def part():
    st.session_state.seen = st.session_state.get("seen", 0) + 1
    assert st.session_state.seen == 1

part()
""",
}


FEW = RunConfig.model_validate(
    {"architecture": TINY, "epochs": 1, "batch_size": 64, "train_fraction": 0.03, "validation_fraction": 0.05}
)


LAGS = {"epochs": 9, "early_stopping": 1, "optimizer": "sgd", "learning_rate": 1e-9, "schedule": "constant"}


def _work_in(folders: dict[str, str]) -> None:
    os.environ.update(folders)


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProcessPoolExecutor]:
    """A process that can fork children with torch loaded: pytest's own has threads, which a fork would lose."""
    folders = {name: str(tmp_path_factory.mktemp(name)) for name in ("CNNLAB_RUNS", "CNNLAB_PICTURES", "CNNLAB_CACHE")}
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawning, initializer=_work_in, initargs=(folders,)) as pool:
        yield pool


@pytest.mark.skipif(not disks.can_mount(), reason="no file systems of our own here")
def test_trainings_on_full_and_locked_disks_say_so_and_go_on_afterwards(tmp_path: Path) -> None:
    assert disks.survived_apart(4, tmp_path, seed=1) == 4


def test_killed_trainings_go_on_to_the_numbers_of_unbroken_ones(apart: ProcessPoolExecutor, tmp_path: Path) -> None:
    assert apart.submit(survived, 6, tmp_path, seed=1).result() == 6


def test_pictures_whose_adding_is_killed_leave_the_data_set_as_it_was(
    apart: ProcessPoolExecutor, tmp_path: Path
) -> None:
    good, writes = apart.submit(additions.survived_at_each_write, tmp_path).result()
    assert good == writes > 8


def test_writers_at_once_lose_nothing_though_one_is_killed(apart: ProcessPoolExecutor, tmp_path: Path) -> None:
    assert apart.submit(unharmed, 3, tmp_path, 1).result() == 3


@pytest.mark.parametrize(("fields", "more"), [({"schedule": "cosine"}, 1), (LAGS, 0)], ids=["extended", "over early"])
def test_trainings_killed_before_each_write_go_on_to_the_numbers_of_unbroken_ones(
    fields: dict[str, object], more: int, apart: ProcessPoolExecutor, tmp_path: Path
) -> None:
    config = FEW.model_copy(update=fields)
    good, writes = apart.submit(survived_at_each_write, config, tmp_path, more).result()
    assert good == writes >= 15


def test_visitors_at_the_same_time_are_drawn_every_page(finished_run: Run) -> None:
    def read(address: str) -> list[Render]:
        with visit(address, f"run={finished_run.id}") as visitor:
            return [visitor.open(page) for page in PAGES]

    with server(finished_run.folder.parent) as address, ThreadPoolExecutor(4) as pool:
        renders = [render for read_by_one in pool.map(read, [address] * 4) for render in read_by_one]
    assert [render.failure for render in renders] == [""] * 4 * len(PAGES)
    assert all(render.elements > 20 for render in renders)  # a page that has no run to show sends 12 to 15


def test_a_visitor_sees_pages_fail(tmp_path: Path) -> None:
    (tmp_path / "home.py").write_text("")
    (tmp_path / "pages").mkdir()
    for name, script in BROKEN.items():
        (tmp_path / "pages" / f"{name}.py").write_text(script)
    process, address = started(tmp_path / "runs", str(tmp_path / "home.py"))
    try:
        with visit(address) as visitor:
            home, raises, unreadable, missing = map(visitor.open, ("", "raises", "unreadable", "missing"))
            later = visitor.open("later")
            assert not later.failure
            assert visitor.stay(PATIENCE)
    finally:
        log = ended(process)
    assert not home.failure
    assert all(render.failure for render in (raises, unreadable, missing)), (raises, unreadable, missing)
    assert "broken" in log


def test_bad_inputs_are_refused_in_one_clear_line(tmp_path: Path) -> None:
    found = refused(42, tmp_path, start=1)
    assert len(found.outcomes) == 42
    assert not [outcome for outcome in found.outcomes if outcome.wrong]
    assert found.largest.memory < BYTES
