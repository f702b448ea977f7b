"""Short trainings of all kinds, for the benchmark of verifying: settings, stops, rates and threads at random."""

from __future__ import annotations

from contextlib import nullcontext
from random import Random
from typing import Any
from unittest.mock import patch

from cnnlab.data.augmentation import AUGMENTATIONS
from cnnlab.data.download import is_present
from cnnlab.drawings.strokes import LabelledDrawing
from cnnlab.jobs.job import Job
from cnnlab.networks.architecture import Architecture
from cnnlab.networks.layers import Activation, BatchNorm2d, Conv2d, Dropout, Flatten, Linear, MaxPool2d
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.training import thread_tuner
from cnnlab.training.config import RunConfig, parse_config

SMALL = Architecture(
    name="small",
    title="Small",
    layers=(
        Conv2d(out_channels=4, kernel_size=5, stride=2),
        BatchNorm2d(),
        Activation(),
        MaxPool2d(kernel_size=2),
        Flatten(),
        Dropout(),
        Linear(out_features="classes"),
    ),
)
THREADS = 2
RESTLESS: dict[str, Any] = {
    "WINDOW": 0.0,
    "FIRST_WAIT": 0.0,
    "UNDISTURBED": 2.0,
    "GAIN": 1e9,
}  # a tuner that always tries others
WAYS = ("whole", "branch", "extended", "rate set", "stopped and resumed")
SEVEN = [[(0.3, 0.25), (0.5, 0.24), (0.7, 0.25), (0.6, 0.5), (0.5, 0.8)]]


def random_fields(draws: Random) -> dict[str, Any]:
    """Draw the settings of a short training on few digits."""
    is_mnist = is_present("mnist") and draws.random() < 0.2
    return {
        "architecture": SMALL,
        "dataset": "mnist" if is_mnist else "mnist-sample",
        "validation_fraction": 0.01 if is_mnist else 0.1,
        "train_fraction": 0.003 if is_mnist else 0.04,
        "epochs": draws.randint(2, 4),
        "batch_size": draws.choice([16, 24, 32]),
        "optimizer": draws.choice(["sgd", "adam", "adamw", "rmsprop"]),
        "learning_rate": draws.choice([0.001, 0.003]),
        "schedule": draws.choice(["constant", "step", "cosine", "one-cycle"]),
        "step_epochs": 1,
        "augmentation": draws.choice(list(AUGMENTATIONS)),
        "weight_average": draws.choice([0.0, 0.9]),
        "gradient_clipping": draws.choice([0.0, 1.0]),
        "label_smoothing": draws.choice([0.0, 0.1]),
        "class_balance": draws.choice(["none", "weights", "sampling"]),
        "mixup": draws.choice([0.0, 0.0, 0.4]),
        "early_stopping": draws.choice([0, 0, 1]),
        "micro_batch": draws.choice([0, 0, 8]),
        "seed": draws.randrange(1000),
    }


def honest_run(number: int, store: RunStore, parents: list[Run]) -> Run:
    """Train the run of a number, as it comes; a branch starts from one of ``parents``."""
    draws, way = Random(number), WAYS[number % len(WAYS)]
    fields = random_fields(draws)
    if way == "branch" and parents:
        fields |= _branch(draws, draws.choice(parents))
    with patch.multiple(thread_tuner, **RESTLESS) if draws.random() < 0.5 else nullcontext():
        job = Job.start(parse_config(fields), store, threads=THREADS)
        if way in ("rate set", "stopped and resumed"):
            _pause(job)
        if way == "rate set":
            job.change_learning_rate(0.0005)
            job.go_on()
        if way == "stopped and resumed":
            job.stop()
            job.join()
            if job.summary.status == "stopped":
                job = Job.resume(job.run)
        job.join()
        if way == "extended" and job.state == "finished":
            job = Job.resume(job.run, draws.randint(1, 2))
            job.join()
    if job.state != "finished":
        raise SystemExit(f"run {number}: {job.error}")
    return job.run


def trained(config: RunConfig, store: RunStore, provable: bool = False) -> Run:
    """Train a config without anything in between."""
    job = Job.start(config, store, threads=1, provable=provable)
    job.join()
    if job.state != "finished":
        raise SystemExit(job.error)
    return job.run


def _branch(draws: Random, parent: Run) -> dict[str, Any]:
    """Draw what a branch changes: drawings beside the digits, or frozen layers whose features are kept."""
    lesson = LabelledDrawing(strokes=SEVEN, pen=0.08, label="7")
    head: dict[str, Any] = {"learn_from": "linear1", "mixup": 0.0, "feature_copies": draws.choice([1, 2])}
    own: dict[str, Any] = draws.choice([{"lessons": (lesson,)}, head, {}])
    names = ("dataset", "validation_fraction", "train_fraction")
    return own | {"parent": f"{parent.id}@1"} | {name: getattr(parent.config, name) for name in names}


def _pause(job: Job) -> None:
    """Pause a job after its running step, unless it is over before."""
    job.pause()
    while job.is_running and job.state != "paused":
        job.join(0.01)
