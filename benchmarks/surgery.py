"""Surgery: the time to an answer, whether it is a full evaluation's, and what undo restores.

Trained runs are kept in a temporary folder of this machine, and used again where there are some.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from statistics import median, quantiles
from time import perf_counter
from typing import Any

import numpy as np

from cnnlab.analysis.surgery import Operated, a_sample
from cnnlab.evaluation import metrics
from cnnlab.evaluation.evaluate import evaluate
from cnnlab.jobs.job import Job
from cnnlab.networks.build import build
from cnnlab.networks.edit import UndoStack
from cnnlab.networks.operations import OPERATIONS, Operation, as_text
from cnnlab.runs.ancestry import data_of
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.runs.surgery import weights_for
from cnnlab.runs.trained import load_trained, test_split
from cnnlab.training.config import RunConfig
from cnnlab.training.device import torch_threads
from cnnlab.training.recipes import RECIPES

RUNS = [(recipe, dataset) for recipe in ("quick", "lean") for dataset in ("mnist", "fashion-mnist")]
FOLDER = Path(tempfile.gettempdir()) / "cnnlab-benchmark-surgery"
SEQUENCES = 100  # of 1 to MOST_STEPS operations
MOST_STEPS = 4
UNDONE = 3  # sequences that are undone step by step, on all test images


def measure() -> list[dict[str, Any]]:
    """Return a row for each run: milliseconds to the answer, and how many answers are the same."""
    rows = []
    for recipe, dataset in RUNS:
        run = trained(RECIPES[recipe].config.model_copy(update={"dataset": dataset}))
        rows.append({"recipe": recipe, "dataset": dataset} | timed(run) | compared(run) | undone(run))
        print(rows[-1], flush=True)
    return rows


def trained(config: RunConfig) -> Run:
    """Return a run of ``config``; one that was cut short counts with the epochs that it has."""
    store = RunStore(FOLDER)
    if known := [run for run in store.all() if run.config == config and max(run.epochs(), default=0)]:
        return known[0]
    job = Job.start(config, store)
    job.join()
    return job.run


def _patient(run: Run) -> Operated:
    trained = load_trained(run)
    images = a_sample(data_of(run).validation, run.config.architecture, len(trained.classes))
    return Operated(trained, images, weights_for(run, lambda name: run))


def _sequences(patient: Operated, run: Run, count: int) -> Iterator[tuple[Operation, ...]]:
    draws = Random(0)
    for _ in range(count):
        yield tuple(_step(patient, run, draws) for _ in range(draws.randint(1, MOST_STEPS)))


def _step(patient: Operated, run: Run, draws: Random) -> Operation:
    """Draw an operation: filters off, a share pruned, a layer off, or one from another epoch."""
    kind = draws.choice(("filters", "filters", "filters", "prune", "layer", "swap"))
    parts = [part for part in patient.parts.values() if part.can_be_off]
    part = draws.choice(list(patient.parts.values()) if kind == "swap" else parts)
    if kind == "swap":
        return Operation(kind="swap", layer=part.name, source=f"{run.id}@{draws.choice(run.epochs())}")
    if kind == "prune":
        return Operation(kind="prune", layer=draws.choice(("", part.name)), share=draws.choice((0.25, 0.5, 0.75)))
    several = tuple(draws.sample(range(part.filters), draws.randint(1, 4))) if kind == "filters" else ()
    return Operation(kind="off", layer=part.name, filters=several)


def timed(run: Run) -> dict[str, Any]:
    """Time the answers of each class and the confusion."""
    patient, taken = _patient(run), []
    for steps in _sequences(patient, run, SEQUENCES):
        begun = perf_counter()
        found = patient.answers(steps)
        metrics.per_class(found)
        metrics.confusion(found)
        taken.append(1000 * (perf_counter() - begun))
    return {
        "epochs": run.judged_epoch,
        "images": patient.images,
        "p50_ms": median(taken),
        "p95_ms": quantiles(taken, n=20)[-1],
        "most_ms": max(taken),
    }


def compared(run: Run) -> dict[str, Any]:
    """Count the sequences after which every number is a full evaluation's."""
    patient = _patient(run)
    equal = [_is_full_evaluation(run, patient, steps) for steps in _sequences(patient, run, SEQUENCES)]
    return {"sequences": len(equal), "equal": sum(equal)}


def _is_full_evaluation(run: Run, patient: Operated, steps: tuple[Operation, ...]) -> bool:
    """Rebuild the network with the weights after ``steps``, evaluate it whole, and compare every number."""
    whole, found = patient.trained, patient.answers(steps)
    network = build(run.config.architecture, whole.shape, len(whole.classes)).eval()
    network.load_state_dict(patient.operated(steps))
    images = a_sample(data_of(run).validation, run.config.architecture, len(whole.classes))
    with torch_threads(1):
        full = replace(whole, network=network).answers(images)
        judged = evaluate(network, images, whole.standardise, whole.at_once)
    return (
        np.array_equal(full.logits, found.logits)
        and judged.per_class == tuple(metrics.per_class(found)["Accuracy"])
        and np.array_equal(metrics.confusion(full), metrics.confusion(found))
    )


def undone(run: Run) -> dict[str, Any]:
    """Operate on the network that answers all test images, undo step by step, and count the same answers."""
    patient = Operated(load_trained(run), test_split(run), weights_for(run, lambda name: run))
    least = patient.images
    for steps in _sequences(patient, run, UNDONE):
        history, seen = UndoStack("[]"), [patient.whole.named.copy()]
        for count in range(1, len(steps) + 1):
            history = history.edited(as_text(steps[:count]))
            seen.append(patient.answers(steps[:count]).named)
        while history.past:
            history = history.undone()
            seen.pop()
            again = patient.answers(OPERATIONS.validate_json(history.present)).named
            least = min(least, int((again == seen[-1]).sum()))
    return {"test": float(patient.whole.hits.mean()), "tested": patient.images, "restored": least}


def table(rows: list[dict[str, Any]]) -> str:
    """Write the figures as a table."""
    head = (
        "| recipe | data set | epochs | test accuracy | images | p50, ms | p95, ms | longest, ms | "
        "equal to a full evaluation | restored by undo |\n" + "|---" * 10 + "|\n"
    )
    return head + "\n".join(
        f"| {row['recipe']} | {row['dataset']} | {row['epochs']} | {row['test']:.2%} | {row['images']:,} | "
        f"{row['p50_ms']:.0f} | {row['p95_ms']:.0f} | {row['most_ms']:.0f} | {row['equal']} of {row['sequences']} | "
        f"{row['restored']:,} of {row['tested']:,} |"
        for row in rows
    )
