"""A training beside other programs: as many threads as are fastest at the moment, against always all."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from statistics import median
from time import perf_counter

import torch

from cnnlab.bench.rounds import Report, Rows, Say, Terms, alone, in_turn, ratio
from cnnlab.data.loading import load
from cnnlab.training.device import threads_each
from cnnlab.training.loop import Training
from cnnlab.training.recipes import DEFAULT, RECIPES
from cnnlab.training.run_data import network_for
from cnnlab.training.thread_tuner import ThreadTuner

PROGRAMS = (0, 1, 4)  # each busy on one core
WARM_UP = 4  # steps before the clock starts
EPOCHS = 1000  # more than a measurement takes


def measure(terms: Terms, say: Say) -> Report:
    """Measure the default training's images a second beside so many busy programs."""
    report = {}
    for programs in PROGRAMS:
        say(f"beside {programs} busy programs")
        report[str(programs)] = alone(_beside, programs, terms)
    return report


def rows(report: Report) -> Rows:
    """Return the lines of a table."""
    figures = [
        (f"beside {programs}", f"{row['ratio']:.2f}", f"{row['following']:,.0f} / {row['fixed']:,.0f}")
        for programs, row in report.items()
    ]
    return [("busy programs, images/s", "following / fixed", ""), *figures]


def _beside(programs: int, terms: Terms) -> Report:
    sides = {
        "following": lambda: _speed(terms, ThreadTuner(threads_each())),
        "fixed": lambda: _speed(terms, None),
    }
    with ExitStack() as running:
        for _ in range(programs):
            running.enter_context(_busy_program())
        rounds = in_turn(sides, terms.effort.busy_rounds)
    speeds = {name: median(figures[name] for figures in rounds) for name in sides}
    return {**speeds, "ratio": ratio(rounds, "following", "fixed")}


def _speed(terms: Terms, tuner: ThreadTuner | None) -> float:
    """Return the images a second of a training that is broken off."""
    config = RECIPES[DEFAULT].config.model_copy(update={"epochs": EPOCHS, "precision": terms.precision})
    data = load(config.dataset)
    torch.set_num_threads(threads_each())
    training = Training(network_for(config, data.spec), data, config, tuner=tuner)
    began, steps = perf_counter(), 0
    for event in training.events():
        if event.kind != "tick":
            continue
        if event.step == WARM_UP:
            began, steps = perf_counter(), 0
        steps += 1
        if event.step > WARM_UP and perf_counter() - began > terms.effort.busy_seconds:
            break
    return (steps - 1) * config.batch_size / (perf_counter() - began)


@contextmanager
def _busy_program() -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()
