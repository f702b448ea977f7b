"""Does verifying prove what is honest and find what is forged? A hundred of each, and forged single epochs by samples.

It takes about five minutes on 2 cores. MNIST is used where it is here (CNNLAB_DATA), else only the embedded digits.
"""

from __future__ import annotations

import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from random import Random
from statistics import mean
from time import perf_counter
from typing import Any

from benchmarks.forged_runs import EPOCHS, forged_epoch, forged_run
from benchmarks.honest_runs import honest_run
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.verification.claims import Claims
from cnnlab.verification.execution import weight_changes
from cnnlab.verification.report import Report
from cnnlab.verification.sampling import chance_missed, chosen_epochs
from tests.verification.reports import report_on

RUNS = 100  # of each kind
SAMPLED_RUNS = 10  # with a forged epoch
COUNTS = (2, 4, 6, 10, 20)  # epochs executed
DRAWS = 1000  # of epochs, for each run and count
EXECUTED = 4  # epochs that are executed indeed, for ROUNDS draws a run
ROUNDS = 4

Figures = dict[str, Any]


def measure() -> Figures:
    """Return what was proved and what was found, with the seconds that both took."""
    with tempfile.TemporaryDirectory() as folder:
        store = RunStore(Path(folder))
        honest, kinds, runs = _honest(store)
        return {"honest": honest, "kinds": kinds, "forged": _forged(store, runs), "sampled": _sampled(store)}


def _honest(store: RunStore) -> tuple[Figures, Figures, list[Run]]:
    """Train and verify honest runs; return what was proved, of which kinds they were, and the runs."""
    runs: list[Run] = []
    kinds: Counter[str] = Counter()
    reports: list[Report] = []
    began = perf_counter()
    for number in range(RUNS):
        runs.append(honest_run(number, store, [run for run in runs if not run.config.parent]))
        kinds.update(_kinds(runs[-1]))
    trained = perf_counter() - began
    for run in runs:
        reports.append(report_on(run, 1))
        if reports[-1].outcome != "proved":
            print(run.id, reports[-1], flush=True)
    proved = sum(report.outcome == "proved" for report in reports)
    seconds = {"training_s": trained, "verifying_s": perf_counter() - began - trained}
    return {"runs": RUNS, "proved": proved, **seconds}, dict(kinds), runs


def _kinds(run: Run) -> list[str]:
    """Name what the training of a run held besides plain steps."""
    config, summary, history = run.config, run.summary, run.history()
    has = {
        "parent": config.parent,
        "drawings": config.lessons,
        "frozen layers": config.learn_from,
        "further epochs": summary.extensions,
        "rate set by hand": history.rates,
        "threads changed": history.threads,
        "early stopping": config.early_stopping,
        "weight average": config.weight_average,
    }
    return [f"optimiser {config.optimizer}", f"schedule {config.schedule}", *(name for name in has if has[name])]


def _forged(store: RunStore, honest: list[Run]) -> Figures:
    """Return for each way how many forgeries there were, and how many were told as such."""
    found: dict[str, list[bool]] = defaultdict(list)
    for number in range(RUNS):
        way, run = forged_run(number, store, honest[number])
        report = report_on(run, 1)
        found[way].append(report.outcome == "differs")
        if report.outcome != "differs":
            print(way, run.id, report, flush=True)
    return {way: {"runs": len(caught), "found": sum(caught)} for way, caught in found.items()}


def _sampled(store: RunStore) -> Figures:
    """Return how often a forged epoch is among those chosen, and how often executing some finds it."""
    hits: dict[int, list[bool]] = defaultdict(list)
    executed, told, seconds = [], [], []
    for number in range(SAMPLED_RUNS):
        run, epoch = forged_epoch(number, store)
        difference = report_on(run, 2, EPOCHS).difference
        told.append(difference is not None and difference.epoch == epoch)
        changes = weight_changes(Claims.of(run))
        for count in COUNTS:
            draws = Random(number)
            hits[count] += [epoch in chosen_epochs(changes, count, draws) for _ in range(DRAWS)]
        for seed in range(ROUNDS):
            began = perf_counter()
            executed.append(report_on(run, 2, EXECUTED, seed).outcome == "differs")
            seconds.append(perf_counter() - began)
    return {
        "runs": SAMPLED_RUNS,
        "epochs": EPOCHS,
        "told": sum(told),
        "chosen": {count: mean(found) for count, found in hits.items()},
        "promised": {count: 1 - chance_missed(EPOCHS, count, 1) for count in COUNTS},
        "executed": {"epochs": EXECUTED, "runs": len(executed), "found": sum(executed), "seconds": mean(seconds)},
    }


def table(figures: Figures) -> str:
    """Write the figures as Markdown."""
    honest, sampled = figures["honest"], figures["sampled"]
    kinds = ", ".join(f"{name} {count}" for name, count in sorted(figures["kinds"].items()))
    said = (
        f"{honest['proved']} of {honest['runs']} honest runs were proved by executing them again, in "
        f"{honest['verifying_s']:.0f} s for {honest['training_s']:.0f} s of training ({kinds})."
    )
    forged = [f"| {way} | {row['runs']} | {row['found']} |" for way, row in figures["forged"].items()]
    chosen = [
        f"| {int(count) / sampled['epochs']:.0%} | {share:.1%} | {sampled['promised'][count]:.1%} |"
        for count, share in sampled["chosen"].items()
    ]
    executed = sampled["executed"]
    indeed = (
        f"Executing all epochs named the forged one in {sampled['told']} of {sampled['runs']} runs of "
        f"{sampled['epochs']} epochs; executing {executed['epochs']} found it in {executed['found']} of "
        f"{executed['runs']} tries."
    )
    return "\n".join(
        [
            said,
            "",
            "| forged | runs | found |\n|---|---|---|",
            *forged,
            "",
            "| epochs executed | one forged epoch found | promised at least |\n|---|---|---|",
            *chosen,
            "",
            indeed,
        ]
    )


if __name__ == "__main__":
    print(table(measure()))
