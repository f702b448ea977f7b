"""The default training in 32 bits, as most laptops train: from its start to its test, and what it reads by then."""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import mean, stdev
from time import perf_counter
from typing import Any

from benchmarks.drawing import PLACED_PEN, drawings, hits, readable
from cnnlab.bench.machine import machine
from cnnlab.bench.rounds import alone
from cnnlab.drawings.strokes import DRAWN_HEIGHT
from cnnlab.jobs.job import Job
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.runs.trained import judge, load_trained
from cnnlab.training.recipes import DEFAULT, RECIPES

PRECISION = "float32"
SEEDS = range(5)
SOON = 5.0  # seconds, after which most drawings are to be read
MIDDLE = (0.5, 0.5)


def measure() -> dict[str, Any]:
    """Train the default recipe with each seed; judge it by MNIST's test images and by digits that strangers drew."""
    config = RECIPES[DEFAULT].config.model_copy(update={"precision": PRECISION})
    with tempfile.TemporaryDirectory() as folder:
        store = RunStore(Path(folder))
        runs = []
        for seed in SEEDS:
            began = perf_counter()
            job = Job.start(config.model_copy(update={"seed": seed}), store)
            job.join()
            runs.append({"seconds": perf_counter() - began, **alone(_reading, job.run)})
    return {"machine": machine(PRECISION), "epochs": config.epochs, "drawings": len(readable(drawings())), "runs": runs}


def _reading(run: Run) -> dict[str, Any]:
    """Judge a run at its end, and read drawings as after its last epoch within the first seconds."""
    soon = [epoch["epoch"] for epoch in run.history().epochs if epoch["seconds"] <= SOON]
    return {
        "mnist": judge(run, "mnist").accuracy,
        "read": _read(run, run.summary.epoch),
        "soon": soon[-1],
        "read_soon": _read(run, soon[-1]),
    }


def _read(run: Run, epoch: int) -> int:
    return hits(load_trained(run, epoch), readable(drawings()), PLACED_PEN, DRAWN_HEIGHT, MIDDLE)


def table(figures: dict[str, Any]) -> str:
    """Write the figures as Markdown."""
    runs, of = figures["runs"], figures["drawings"]
    columns = {name: [run[name] for run in runs] for name in runs[0]}
    accuracies = [f"{accuracy:.2%}" for accuracy in columns["mnist"]]
    spread = 100 * stdev(columns["mnist"])
    machine_lines = "\n".join(f"- {name}: {value}" for name, value in figures["machine"].items())
    return f"""{machine_lines}

| {figures["epochs"]} epochs, seeds 0 to {len(runs) - 1} | each | mean |
|---|---|---|
| from the start to judged, s | {_listed(columns["seconds"], ".1f")} | {mean(columns["seconds"]):.1f} |
| right of MNIST's 10,000 test images | {", ".join(accuracies)} | {mean(columns["mnist"]):.2%} ± {spread:.2f} |
| strangers' digits read right, of {of} | {_listed(columns["read"])} | {mean(columns["read"]) / of:.1%} |
| the same after {SOON:g} s | {_listed(columns["read_soon"])} | {mean(columns["read_soon"]) / of:.1%} |"""


def _listed(values: list[float], form: str = "d") -> str:
    return ", ".join(f"{value:{form}}" for value in values)
