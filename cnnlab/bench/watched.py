"""A training whose charts are asked for as the page does, against one that nobody watches."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from cnnlab import charts
from cnnlab.bench.rounds import Report, Rows, Say, Terms, alone, in_turn, ratio
from cnnlab.jobs.job import Job
from cnnlab.runs.store import RunStore
from cnnlab.training.device import threads_each
from cnnlab.training.recipes import DEFAULT, RECIPES

EPOCHS = 8  # of the default training


def measure(terms: Terms, say: Say) -> Report:
    """Measure the cost of being watched."""
    say("live cost")
    with tempfile.TemporaryDirectory(prefix="cnnlab-") as runs:
        return alone(_watched, terms, RunStore(Path(runs)))


def rows(report: Report) -> Rows:
    """Return the line of a table."""
    return [("training watched / headless", f"{report['ratio']:.3f}", "")]


def _watched(terms: Terms, store: RunStore) -> Report:
    fixed = {"epochs": EPOCHS, "precision": terms.precision, "threads": threads_each()}
    config = RECIPES[DEFAULT].config.model_copy(update=fixed)

    def speed(watched: bool) -> float:
        job = Job.start(config, store)
        with _watching(job) if watched else _nobody():
            job.join()
        return job.summary.images_per_second or 0.0

    sides = {"watched": lambda: speed(True), "headless": lambda: speed(False)}
    return {"ratio": ratio(in_turn(sides, terms.effort.live_rounds), "watched", "headless")}


@contextmanager
def _watching(job: Job) -> Iterator[None]:
    ended = Event()

    def poll() -> None:
        while not ended.wait(charts.LIVE_SECONDS):
            for plot in charts.live(job.history, job.summary.classes).values():
                json.dumps(plot)

    watcher = Thread(target=poll)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


@contextmanager
def _nobody() -> Iterator[None]:
    yield
