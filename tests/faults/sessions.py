"""Many sessions on one server, two of them training: how long pages take, and what is left when all have gone."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import cycle, islice
from pathlib import Path
from random import Random
from time import monotonic, sleep

import numpy as np
import psutil
from playwright.sync_api import Page

from cnnlab.jobs.job import Job
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.training.config import RunConfig
from tests.browser.browsing import PATIENCE, launched, start_training
from tests.browser.server import ended, started
from tests.faults.visitor import Render, visit

PAGES = ("", "Inside", "Evaluate", "Draw", "Compare", "Sweep", "Train")  # by path; the empty one is Home
TRAINERS = 2  # in browsers, whose pages follow their trainings
THOUGHT = (2.0, 5.0)  # seconds on a page, at least and at most
SETTLED = 15.0  # seconds: Python and Streamlit keep idle threads for ten
PATIENT = 120.0  # seconds, for trainings to end
FINISHED_RUNS = 3


@dataclass(frozen=True)
class Rest:
    """A server that nobody visits: its threads, those of them that train, and its memory in bytes."""

    threads: int
    training: int
    memory: int


@dataclass(frozen=True)
class Load:
    """What visitors saw of a server, how many trainings it worked on meanwhile, and the server before and after."""

    renders: tuple[Render, ...]
    failures: tuple[str, ...]
    training: int
    before: Rest
    after: Rest

    def seconds(self, percent: float, page: str | None = None) -> float:
        """Which ``percent`` of the renders, of one page or of all, did not exceed."""
        return float(np.percentile([render.seconds for render in self.renders if page in (None, render.page)], percent))

    @property
    def growth(self) -> float:
        """Of the memory, as a share of what it was before."""
        return self.after.memory / self.before.memory - 1


def held(sessions: int, seconds: float, folder: Path, seed: int = 0) -> Load:
    """A server with ``sessions`` for ``seconds``: TRAINERS browsers that train and, for the rest, visitors that read.

    Before, each page has been drawn for each run and as many trainings have run: what a server keeps for good is there.
    """
    runs = finished_runs(folder / "runs", FINISHED_RUNS)
    random = Random(seed)
    with _server(folder) as server:
        server.visited(runs, TRAINERS + len(runs), 0, random)
        before = server.rest()
        renders, failures, training = server.visited(runs, sessions, seconds, random)
        after = server.rest()
    failures += ["a traceback in the server's log"] if "Traceback" in server.log else []
    return Load(tuple(renders), tuple(failures), training, before, after)


def finished_runs(folder: Path, count: int) -> list[Run]:
    """Short trainings of the default network, for pages to show."""
    jobs = [Job.start(RunConfig(epochs=3, seed=seed), RunStore(folder)) for seed in range(count)]
    for job in jobs:
        job.join()
    return [job.run for job in jobs]


class _Server:
    def __init__(self, process: subprocess.Popen[str], address: str, folder: Path) -> None:
        self.log = ""
        self._process = process
        self._address = address
        self._store = RunStore(folder / "runs")
        self._stacks = folder / "stacks.txt"

    def visited(
        self, runs: Sequence[Run], sessions: int, seconds: float, random: Random
    ) -> tuple[list[Render], list[str], int]:
        """Renders, what failed, and how many trainings were at work in the end."""
        with launched() as browser, ThreadPoolExecutor(sessions - TRAINERS) as pool:
            trainers = [browser.new_page() for _ in range(TRAINERS)]
            for page in trainers:
                page.set_default_timeout(PATIENCE)
                start_training(page, self._address, train_fraction=1)
            walks = [
                pool.submit(walk, self._address, run, seconds, Random(random.random()))
                for run in islice(cycle(runs), sessions - TRAINERS)
            ]
            renders = [render for walked in walks for render in walked.result()]
            failures = [f"{render.page or 'Home'}: {render.failure}" for render in renders if render.failure]
            failures += [f"Train: {text}" for page in trainers for text in _exceptions(page)]
            return renders, failures, self._training()

    def rest(self) -> Rest:
        """Wait until no training is at work and idle threads have gone, then look."""
        until = monotonic() + PATIENT
        while any(run.summary.status == "running" for run in self._store.all()) and monotonic() < until:
            sleep(0.5)
        sleep(SETTLED)
        server = psutil.Process(self._process.pid)
        return Rest(server.num_threads(), self._training(), server.memory_info().rss)

    def _training(self) -> int:
        """Threads that have a job's work on their stacks."""
        told = self._stacks.stat().st_size
        self._process.send_signal(signal.SIGUSR1)
        sleep(1.0)
        stacks = self._stacks.read_text()[told:].split("\n\n")
        return sum("job.py" in stack for stack in stacks)


def walk(
    address: str,
    run: Run,
    seconds: float,
    random: Random,
    pages: Sequence[str] = PAGES,
    thought: tuple[float, float] = THOUGHT,
    cookie: str = "",
) -> list[Render]:
    """Read all pages in one order after the other, with a thought on each, until ``seconds`` are over."""
    sleep(random.uniform(0, thought[1]))  # not all come at once
    until = monotonic() + seconds
    renders: list[Render] = []
    with visit(address, f"run={run.id}", cookie) as visitor:
        while not renders or monotonic() < until:
            for page in random.sample(pages, len(pages)):
                render = visitor.open(page)
                failure = visitor.stay(random.uniform(*thought))
                renders.append(replace(render, failure=render.failure or failure))
    return renders


def _exceptions(page: Page) -> list[str]:
    return page.get_by_test_id("stException").all_inner_texts()


@contextmanager
def _server(folder: Path) -> Iterator[_Server]:
    """One that writes its threads' stacks to a file when asked by a signal."""
    stacks = folder / "stacks.txt"
    (folder / "sitecustomize.py").write_text(
        f"import faulthandler, signal\nfaulthandler.register(signal.SIGUSR1, open({str(stacks)!r}, 'w'))\n"
    )
    process, address = started(folder / "runs", CNNLAB_TRAININGS=str(TRAINERS), PYTHONPATH=str(folder))
    server = _Server(process, address, folder)
    try:
        yield server
    finally:
        server.log = ended(process)
