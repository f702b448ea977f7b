"""Times of the list of ten thousand runs, of a new process and of each page, beside looking at every file each time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from shutil import copytree
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from unittest.mock import patch

from cnnlab.files import COARSE
from cnnlab.runs.catalogue import Catalogue, search
from cnnlab.runs.catalogue import table as run_table
from cnnlab.runs.example import FOLDER, example_id
from cnnlab.runs.index import Index
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore, ids_in, runs_in

RUNS = 10_000
ROUNDS = 100
FILES = ("config.json", "summary.json", "about.json", "weights")  # that a list depends on

Figures = dict[str, list[float]]  # milliseconds by what took them


def measure() -> Figures:
    """Return the milliseconds of each listing."""
    with TemporaryDirectory() as place, patch.dict(os.environ, {"CNNLAB_CACHE": f"{place}/cache"}):
        store = RunStore(Path(place) / "runs")
        many_runs(store)
        first: Figures = {"first listing, without an index": [_in_new_process(store.folder)]}
        first["first listing, with an index"] = [_in_new_process(store.folder) for _ in range(3)]
        assert Index(store.folder).path.exists()
        return first | _pages(store)


def many_runs(store: RunStore) -> None:
    """Make runs of the one that comes with the app, with other settings and results, their weights linked."""
    source = FOLDER / example_id()
    run, began = Run(source), datetime(2026, 1, 1, tzinfo=UTC)
    config, summary = run.config, run.summary
    for number in range(RUNS):
        created = began + timedelta(seconds=37 * number)
        folder = store.folder / f"{created:%Y%m%d-%H%M%S-%f}-{number:012x}"
        copytree(source, folder, copy_function=os.link)
        rate, accuracy = (0.001, 0.003, 0.01, 0.03)[number % 4], 0.9 + (number * 7919 % 1000) / 10_000
        settings = config.model_copy(update={"seed": number % 5, "learning_rate": rate})
        results = {"id": folder.name, "created": created, "test_accuracy": accuracy, "validation_accuracy": accuracy}
        for name, model in {"config": settings, "summary": summary.model_copy(update=results)}.items():
            (folder / f"{name}.json").unlink()  # a link
            (folder / f"{name}.json").write_text(model.model_dump_json(indent=1))


def _in_new_process(folder: Path) -> float:
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(_first_listing, [folder])


def _first_listing(folder: Path) -> float:
    [taken] = _times(Catalogue(RunStore(folder)).entries, rounds=1)
    return taken


def _pages(store: RunStore) -> Figures:
    """Return the times of pages: as nothing changes, and after what the app or a file manager does."""
    catalogue = Catalogue(store)
    run = catalogue.entries()[RUNS // 2].run
    run.change_about(title="Before")  # the first note makes a file
    time.sleep(COARSE / 1e9)  # until the folder's time counts

    def page() -> None:
        runs = catalogue.entries()
        runs.viewable(runs.datasets, None)

    return {
        "a page": _times(page),
        "a page after a run was renamed": _times(page, before=lambda: run.change_about(title="Renamed")),
        "a page after a run was made or deleted": _times(page, before=_in_and_out(store)),
        "each page, if it looked at every file": _times(lambda: _look_at_all(str(store.folder))),
        "the table on Compare, after a change": _times(lambda: run_table(catalogue.entries()), rounds=10),
        "a search in it": _times(lambda: search(catalogue.entries().once(run_table), "quick 0.9")),
    }


def _in_and_out(store: RunStore) -> Callable[[], None]:
    """Return what adds a run, then deletes it, in turn."""
    made: list[Run] = []
    config = runs_in(store.folder)[0].config

    def change() -> None:
        if made:
            store.delete(made.pop().id)
        else:
            made.append(store.create(config))

    return change


def _look_at_all(folder: str) -> None:
    """Ask the system for the time of every file that the list depends on; plain strings, as it is quickest."""
    for run_id in ids_in(Path(folder)):
        for name in FILES:
            with suppress(FileNotFoundError):
                os.stat(f"{folder}/{run_id}/{name}")  # noqa: PTH116


def _times(act: Callable[[], object], rounds: int = ROUNDS, before: Callable[[], object] = int) -> list[float]:
    taken = []
    for _ in range(rounds):
        before()
        began = time.perf_counter()
        act()
        taken.append(1000 * (time.perf_counter() - began))
    return taken


def table(figures: Figures) -> str:
    """Write the figures as a table; the ratio is to a page."""
    page = median(figures["a page"])
    rows = [("", "median, ms", "95th percentile, ms", "ratio to a page"), ("---", "---:", "---:", "---:")]
    for name, times in figures.items():
        high = quantiles(times, n=20)[-1] if len(times) >= 20 else max(times)
        rows.append((name, f"{median(times):,.1f}", f"{high:,.1f}", f"{median(times) / page:,.1f}"))
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


if __name__ == "__main__":
    print(f"{RUNS:,} runs\n\n{table(measure())}")
