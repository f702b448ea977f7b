"""Times of Compare with many runs: listing them, and each action on the list."""

from __future__ import annotations

import os
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

from playwright.sync_api import Page

from benchmarks.browsing import browser_page, go, own_server, settled
from cnnlab.jobs.job import Job
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.training.config import RunConfig

RUNS = 2_000
ROUNDS = 10
VIEWS = ("Settings", "Each class", "Which is better?", "Cost", "Hyperparameters", "Curves")
ROW, HEAD, TICK = 35, 38, 16  # pixels of the table


def measure() -> dict[str, object]:
    """Return the milliseconds to list the runs, and the median and 95th percentile of each action."""
    actions: dict[str, list[float]] = {}
    with own_server() as (address, folder), browser_page() as page:
        _many_runs(folder)
        page.goto(f"{address}/Train")
        compare = page.get_by_test_id("stSidebar").get_by_role("link", name="Compare")
        compare.wait_for()
        page.get_by_test_id("stMain").get_by_role("button", name="Train", exact=True).wait_for()
        began = perf_counter()
        compare.click()
        page.get_by_text(f"of {RUNS:,} runs").wait_for()
        page.get_by_test_id("stDataFrame").locator("canvas").first.wait_for()
        first = 1000 * (perf_counter() - began)
        go(page, "Train")
        again = settled(page, compare.click)
        _once(page, {})  # for imports at the first use
        for _ in range(ROUNDS):
            _once(page, actions)
    return {
        "runs": RUNS,
        "first_ms": first,
        "again_ms": again,
        "actions": {
            name: {"times": len(times), "p50_ms": median(times), "p95_ms": quantiles(times, n=20)[-1]}
            for name, times in actions.items()
        },
    }


def _once(page: Page, actions: dict[str, list[float]]) -> None:
    """Do each action on the list once."""
    words = page.get_by_role("textbox", name="Search", exact=True)
    box = page.get_by_test_id("stDataFrame").first.bounding_box()
    assert box

    def tick(row: int) -> float:
        return settled(page, lambda: page.mouse.click(box["x"] + TICK, box["y"] + HEAD + ROW * (row + 0.5)))

    def search(text: str) -> float:
        words.fill(text)
        return settled(page, lambda: words.press("Enter"))

    actions.setdefault("tick a run", []).append(tick(4))
    actions.setdefault("untick it", []).append(tick(4))
    actions.setdefault("search", []).append(search("quick"))
    actions.setdefault("list all again", []).append(search(""))
    for view in VIEWS:
        button = page.get_by_test_id("stMain").get_by_text(view, exact=True).first
        actions.setdefault(view, []).append(settled(page, button.click))


def _many_runs(folder: Path) -> None:
    """Make copies of three real runs with other settings and results, their weights linked."""
    store = RunStore(folder)
    real = [_trained(store, name) for name in ("compact", "quick", "basic-cnn")]
    for number in range(RUNS - len(real)):
        _copy(real[number % len(real)], store, number)


def _trained(store: RunStore, architecture: str) -> Run:
    job = Job.start(RunConfig.model_validate({"architecture": architecture, "epochs": 2}), store)
    job.join()
    return job.run


def _copy(run: Run, store: RunStore, number: int) -> None:
    rate = (0.001, 0.003, 0.01, 0.03)[number % 4]
    copy = store.create(run.config.model_copy(update={"seed": number % 5, "learning_rate": rate}))
    accuracy = 0.9 + (number * 7919 % 1000) / 10_000  # spread over 90 to 100 %
    changed = {"id": copy.id, "test_accuracy": accuracy, "validation_accuracy": accuracy}
    copy.write_summary(run.summary.model_copy(update=changed))
    os.link(run.folder / "history.jsonl", copy.folder / "history.jsonl")
    (copy.folder / "weights").mkdir()
    for path in (run.folder / "weights").iterdir():
        os.link(path, copy.folder / "weights" / path.name)
