"""Runs that are trained twice, on a cluster and in this process: do they have the same numbers, bit for bit?"""

from __future__ import annotations

from typing import Any

import torch

from benchmarks.three_nodes import begun, ended, without_speeds
from cnnlab.jobs.executor import LOCAL, Executor
from cnnlab.jobs.job import Job
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.training.config import parse_config, parse_extension

SEVEN = {"strokes": [[(0.3, 0.25), (0.7, 0.25), (0.5, 0.8)]], "pen": 0.08, "label": "7"}

# What differs from Lean for two epochs on a fifth of the sample.
RUNS: tuple[dict[str, Any], ...] = (
    {},
    {"optimizer": "sgd", "momentum": 0.9, "nesterov": True},
    {"optimizer": "adam", "schedule": "one-cycle"},
    {"optimizer": "adamw", "weight_decay": 0.05},
    {"optimizer": "rmsprop", "learning_rate": 0.0005},
    {"weight_average": 0.9},
    {"early_stopping": 3, "epochs": 3},
    {"mixup": 0.4, "cutmix": 0.5},
    {"class_balance": "sampling"},
    {"class_balance": "weights", "label_smoothing": 0.1},
    {"augmentation": "handwriting"},
    {"augmentation": "none", "gradient_clipping": 1.0},
    {"architecture": "seven-step-mnist"},
    {"architecture": "compact", "micro_batch": 32},
    {"schedule": "step", "step_epochs": 1, "seed": 5},
    {"parent": True},
    {"parent": True, "lessons": [SEVEN], "lesson_share": 0.3},
    {"lessons": [SEVEN], "lesson_share": 0.2, "optimizer": "adam"},
    {"more": 1},
    {"more": 2, "weight_average": 0.95, "optimizer": "adamw"},
)

Figures = dict[str, int]


def compare(store: RunStore, executor: Executor) -> Figures:
    """Train each run in both places, and once more with another seed, which must differ."""
    same = other = 0
    parent = _trained(store, LOCAL, {"epochs": 1}).run.id
    for number, fields in enumerate(RUNS):
        wanted = fields | ({"parent": f"{parent}@1"} if "parent" in fields else {})
        there, here = _trained(store, executor, wanted), _trained(store, LOCAL, wanted)
        same += is_same(there.run, here.run)
        other += is_same(there.run, _trained(store, LOCAL, wanted | {"seed": 100 + number}).run)
    return {"runs": len(RUNS), "same": same, "same_with_another_seed": other}


def is_same(first: Run, second: Run) -> bool:
    """Tell whether all files of two runs say the same, speeds left out."""
    if first.epochs() != second.epochs() or _records(first) != _records(second):
        return False
    one, other = first.checkpoint(), second.checkpoint()
    assert one
    assert other
    tensors = [(one.tensors, other.tensors), *((first.weights(at), second.weights(at)) for at in first.epochs())]
    return (
        all(torch.equal(a[name], b[name]) for a, b in tensors for name in a)
        and first.summary.test_accuracy == second.summary.test_accuracy
    )


def _trained(store: RunStore, executor: Executor, fields: dict[str, Any]) -> Job:
    more = fields.get("more", 0)
    base = {"architecture": "lean", "epochs": 2, "train_fraction": 0.2}
    config = parse_config(base | {name: value for name, value in fields.items() if name != "more"})
    job = ended(begun(store, executor, config))
    if more:
        extension = parse_extension(config.epochs, more, 0.001)
        job = ended(Job(job.run, threads=1, more=extension, executor=executor)._begun())
    return job


def _records(run: Run) -> list[dict[str, Any]]:
    history = run.history()
    return without_speeds([*history.steps, *history.epochs, *history.rates])
