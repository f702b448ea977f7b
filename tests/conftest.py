"""What several tests share: folders of their own, the real data sets, one finished run."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Generator, Iterator
from functools import cache
from pathlib import Path
from shutil import copytree
from unittest.mock import patch

import pytest
from streamlit.components.v2 import manifest_scanner

from cnnlab import threads
from cnnlab.export.portable import Portable
from cnnlab.jobs.job import running_jobs
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore, runs_folder
from tests.samples import Stalled
from tests.trainings import TWO_EPOCHS, Shelf, copied

ROOT = Path(__file__).parents[1]
MAIN = sys.modules["__main__"]

pytest_plugins = ["tests.browser.fixtures"]  # a server and a browser


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is imported is no garbage: each full collection walks through it, in the end for a third of a second."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_unconfigure() -> None:
    """Pages say here that the process ends well, which is pytest's to say."""
    threads._exit_codes.clear()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a browser and put it first, so that no worker is left alone with its journeys at the end."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
    items.sort(key=lambda item: (item.get_closest_marker("browser") is None, item.get_closest_marker("slow") is None))


@pytest.fixture(autouse=True)
def own_runs_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Runs, pictures and caches go to folders of the test's own, and no training outlives its test."""
    # AppTest leaves its script there, which every process that multiprocessing spawns would run first.
    monkeypatch.setitem(sys.modules, "__main__", MAIN)
    monkeypatch.setenv("CNNLAB_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("CNNLAB_PICTURES", str(tmp_path / "pictures"))
    monkeypatch.setenv("CNNLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("CNNLAB_EXAMPLE", "no")  # most tests begin without a run
    yield
    for job in running_jobs():
        job.abandon()
        job.join()


@pytest.fixture(scope="session", autouse=True)
def shelf(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The folder of runs that are trained once for all of pytest's workers."""
    own = tmp_path_factory.getbasetemp()
    Shelf.folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "shelf"
    Shelf.folder.mkdir(exist_ok=True)


@pytest.fixture(scope="session", autouse=True)
def components_are_found_once() -> Iterator[None]:
    """Each AppTest would look for components in all packages that are installed, for a fifth of a second."""
    with patch.object(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests)):
        yield


@pytest.fixture
def stalled(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stalled]:
    stalled = Stalled(monkeypatch)
    yield stalled
    stalled.fails.set()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets; tests that need them skip where it is absent."""
    folder = Path(os.environ.get("CNNLAB_DATA") or ROOT.parent / "shared" / "data").resolve()
    if not (folder / "MNIST").is_dir():
        pytest.skip(f"no real MNIST in {folder}: point CNNLAB_DATA at a folder that has it")
    return folder


@pytest.fixture(scope="session")
def finished_run(shelf: None, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two epochs of Lean on the embedded sample; read it, do not change it."""
    return copied(Shelf.run(TWO_EPOCHS), RunStore(tmp_path_factory.mktemp("finished")))


@pytest.fixture(scope="session")
def packed(finished_run: Run) -> Portable:
    """Its network, to be exported."""
    return Portable.of(finished_run, "Two epochs")


@pytest.fixture
def listed_run(finished_run: Run) -> Run:
    """A copy of ``finished_run`` among the test's own runs, where pages find it."""
    return Run(Path(copytree(finished_run.folder, runs_folder() / finished_run.id)))
