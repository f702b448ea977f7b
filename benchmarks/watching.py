"""The cost of a browser on the same machine for a training, and the browser's own waiting times."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter, sleep
from typing import Any

from playwright.sync_api import Page

from benchmarks.browsing import answered, browser_page, go, own_server, train
from cnnlab.training.device import available_cores

ROUNDS = 5
SECONDS = 24.0  # of each side in a round
SETTLED_SECONDS = 8.0  # from opening the page until its load is constant
STEADY_AFTER_SECONDS = 60.0  # of training: from then on the page asks for updates at its final pace
SWITCHES = 40
DRAWINGS = 30


def measure() -> dict[str, float]:
    """Return the speed of a training watched and unwatched, and times of page switches and drawn digits during it."""
    with own_server() as (address, runs), browser_page() as page:
        page.goto(address)
        sleep(SETTLED_SECONDS)  # as somebody looks at the first page, before they train
        train(page, address, epochs=1000, threads=available_cores())  # always as many, or the sides differ by them too
        page.locator(".js-plotly-plot").first.wait_for()
        training = page.url
        sleep(STEADY_AFTER_SECONDS)
        ratios = []
        for _ in range(ROUNDS):
            sleep(SETTLED_SECONDS)
            watched = _epochs_per_second(runs)
            page.goto("about:blank")
            sleep(1)
            ratios.append(watched / _epochs_per_second(runs))
            print(f"watched / unwatched {ratios[-1]:.3f}", flush=True)
            page.goto(training)
            page.locator(".js-plotly-plot").first.wait_for()
        switches = []
        for number in range(SWITCHES):
            start = perf_counter()
            go(page, ("Inside", "Compare", "Draw", "Train")[number % 4])
            switches.append(perf_counter() - start)
            sleep(0.5)
        busy = _answers(page)
        go(page, "Train")
        page.get_by_role("button", name="Stop (keeps all epochs)").click()
        page.get_by_test_id("stMetric").filter(has_text="Test accuracy").wait_for()
        idle = _answers(page)
    return {
        "watched_to_unwatched": median(ratios),
        "page_switch_p50_ms": 1e3 * median(switches),
        "page_switch_p95_ms": 1e3 * _p95(switches),
        "answer_p50_ms": median(idle),
        "answer_p95_ms": _p95(idle),
        "answer_while_training_p50_ms": median(busy),
        "answer_while_training_p95_ms": _p95(busy),
    }


def _epochs_per_second(runs: Path) -> float:
    first = _last_epoch(runs)
    sleep(SECONDS)
    last = _last_epoch(runs)
    return float((last["epoch"] - first["epoch"]) / (last["seconds"] - first["seconds"]))


def _last_epoch(runs: Path) -> dict[str, Any]:
    file = max(runs.glob("*/history.jsonl"), key=lambda path: path.stat().st_mtime)  # the example's is older
    records = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    epochs: list[dict[str, Any]] = [record for record in records if record["kind"] == "epoch"]
    return epochs[-1]


def _answers(page: Page) -> list[float]:
    go(page, "Draw")
    return [answered(page) for _ in range(DRAWINGS)]


def _p95(values: list[float]) -> float:
    return quantiles(values, n=20)[-1]
