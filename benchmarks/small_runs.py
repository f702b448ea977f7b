"""A pool of small runs on MNIST and Fashion-MNIST, each with its answers to all 10,000 test images.

``python -m benchmarks.small_runs [FOLDER]`` trains those of the 480 that are missing, one after another, in about an
hour and a half. It continues after a kill. A run is a pair of files: ``NAME.json`` (config, epochs, seconds) and
``NAME.npy`` (logits in 16 bits).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any

import numpy as np
import torch

from cnnlab.data.batches import Standardise, scaling
from cnnlab.data.datasets import dataset_spec
from cnnlab.data.folders import data_folder
from cnnlab.data.loading import load_test
from cnnlab.data.spec import DatasetSpec
from cnnlab.evaluation.evaluate import predict
from cnnlab.evaluation.metrics import Answers
from cnnlab.files import atomic_write
from cnnlab.training.config import RunConfig, parse_config
from cnnlab.training.loop import fit
from cnnlab.training.remedy import TrainingError
from cnnlab.training.run_data import load_for, network_for

Fields = dict[str, Any]

DATASETS = ("mnist", "fashion-mnist")
SEEDS = 20  # of each config that is repeated
SEARCHED = 80  # configs that differ, per data set
VARIED = 80  # configs that differ in more, the share of the training images among it, per data set
COMMON: Fields = {"validation_fraction": 0.02, "train_fraction": 0.05, "device": "cpu", "precision": "float32"}
# The rules are chosen on the first two and judged on the others.
REPEATED: dict[str, Fields] = {
    "lean": {"architecture": "lean", "epochs": 4, "batch_size": 64, "augmentation": "none"},
    "basic": {"architecture": "basic-cnn", "epochs": 6, "batch_size": 64, "augmentation": "none"},
    "basic-few": {"architecture": "basic-cnn", "epochs": 12, "train_fraction": 0.02, "optimizer": "adam"},
    "lenet-shift": {"architecture": "lenet-5", "epochs": 5, "optimizer": "adam", "augmentation": "shift"},
}
CHOOSING, JUDGING = ("lean", "basic"), ("basic-few", "lenet-shift")


@dataclass(frozen=True)
class SmallRun:
    """A run of the pool, read from its files."""

    name: str
    config: RunConfig
    epochs: list[Fields]  # EpochMetrics of each epoch; none of a run that diverged
    seconds: float
    folder: Path

    @cached_property
    def answers(self) -> Answers:
        """The answers to the data set's test images."""
        spec: DatasetSpec = dataset_spec(self.config.dataset)
        logits = np.load(self.folder / f"{self.name}.npy", allow_pickle=False)
        return Answers(logits.astype(np.float32), load_test(self.config.dataset).labels.numpy(), spec.classes)


def repeats(name: str, dataset: str, folder: Path | None = None) -> list[SmallRun]:
    """Return the runs of a repeated config on a data set, by seed; trains those that are missing."""
    return [_run(*one, folder or default_folder()) for one in _repeated(name, dataset)]


def searched(dataset: str, folder: Path | None = None) -> list[SmallRun]:
    """Return the runs of all configs that differ; trains those that are missing."""
    return [_run(*one, folder or default_folder()) for one in _searched(dataset)]


def varied(dataset: str, folder: Path | None = None) -> list[SmallRun]:
    """Return the runs of all configs that differ in more than a search's, but for those that diverged.

    Trains those that are missing.
    """
    runs = (_run(*one, folder or default_folder()) for one in _varied(dataset))
    return [run for run in runs if run.epochs]


def default_folder() -> Path:
    """Return where the pool is kept: beside the data sets."""
    return data_folder() / "small-runs"


def train_all(folder: Path) -> None:
    """Train all that are missing, so that each part of the benchmarks is complete as early as can be."""
    started, done = perf_counter(), 0
    for name, fields in _everything():
        if not _paths(folder, name)[0].exists():
            run, done = _run(name, fields, folder), done + 1
            accuracy = run.answers.hits.mean()
            print(f"{name}: {accuracy:.2%}, {run.seconds:.1f} s; {perf_counter() - started:.0f} s", flush=True)


def _everything() -> Iterator[tuple[str, Fields]]:
    for name in (*CHOOSING, *JUDGING):
        for dataset in DATASETS:
            yield from _repeated(name, dataset)
    for group in (_searched, _varied):
        for pair in zip(*(group(dataset) for dataset in DATASETS), strict=True):
            yield from pair


def _repeated(name: str, dataset: str) -> list[tuple[str, Fields]]:
    fields = COMMON | REPEATED[name] | {"dataset": dataset}
    return [(f"{dataset}-{name}-{seed:02}", fields | {"seed": seed}) for seed in range(SEEDS)]


def _searched(dataset: str) -> list[tuple[str, Fields]]:
    return [(f"{dataset}-searched-{number:03}", _drawn(dataset, number)) for number in range(SEARCHED)]


def _drawn(dataset: str, number: int) -> Fields:
    """Draw the settings of a search's trial, as a careful person would set the ranges."""
    draws = Random(f"{dataset} {number}")
    architecture = draws.choice(["lean", "basic-cnn", "basic-cnn"])
    return COMMON | {
        "dataset": dataset,
        "architecture": architecture,
        "epochs": draws.randint(3, 5) if architecture == "lean" else draws.randint(5, 12),
        "batch_size": draws.choice([32, 64, 128]),
        "optimizer": draws.choice(["adam", "adamw", "sgd"]),
        "learning_rate": round(10 ** draws.uniform(-2.7, -1.7), 5),
        "schedule": draws.choice(["one-cycle", "cosine", "constant"]),
        "label_smoothing": draws.choice([0.0, 0.0, 0.1]),
        "augmentation": draws.choice(["none", "shift"]),
        "seed": draws.randrange(1000),
    }


def _varied(dataset: str) -> list[tuple[str, Fields]]:
    return [(f"{dataset}-varied-{number:03}", _drawn_freely(dataset, number)) for number in range(VARIED)]


def _drawn_freely(dataset: str, number: int) -> Fields:
    """Draw settings as somebody tries them out: other networks, optimisers and rates, few images or many."""
    draws = Random(f"varied {dataset} {number}")
    share = 10 ** draws.uniform(-2, -0.5)  # 0.01 to 0.3
    architecture = draws.choice(["lean", "basic-cnn", "lenet-5", "conv2d-tour"])
    affordable = (20_000 if architecture in ("lean", "conv2d-tour") else 50_000) / (60_000 * share)
    return COMMON | {
        "dataset": dataset,
        "architecture": architecture,
        "train_fraction": round(share, 4),
        "epochs": max(1, round(min(2 ** draws.uniform(0.5, 4.5), affordable))),
        "batch_size": draws.choice([16, 32, 64, 128, 256]),
        "optimizer": draws.choice(["adam", "adamw", "sgd", "rmsprop"]),
        "learning_rate": round(10 ** draws.uniform(-3.3, -1.7), 5),
        "schedule": draws.choice(["one-cycle", "cosine", "constant"]),
        "weight_decay": draws.choice([0.01, 0.0, 0.05]),
        "label_smoothing": draws.choice([0.0, 0.0, 0.1]),
        "augmentation": draws.choice(["none", "shift", "affine"]),
        "seed": draws.randrange(1000),
    }


def _run(name: str, fields: Fields, folder: Path) -> SmallRun:
    """Read a run; train it where it is missing."""
    about, answers = _paths(folder, name)
    if not about.exists():
        folder.mkdir(parents=True, exist_ok=True)
        config = parse_config(fields)
        epochs, seconds, logits = _trained(config)
        kept = folder / f"{name}.part.npy"
        np.save(kept, logits, allow_pickle=False)
        kept.replace(answers)
        told = {"config": config.model_dump(mode="json"), "epochs": epochs, "seconds": seconds}
        atomic_write(about, json.dumps(told))  # last: where it is, the answers are too
    told = json.loads(about.read_text(encoding="utf-8"))
    return SmallRun(name, parse_config(told["config"]), told["epochs"], told["seconds"], folder)


def _trained(config: RunConfig) -> tuple[list[Fields], float, np.ndarray[Any, np.dtype[np.float16]]]:
    """Train in one thread; return the epochs, the seconds and the logits of the test images: (10,000, classes)."""
    torch.set_num_threads(1)
    data = load_for(config)
    network = network_for(config, data.spec)
    started = perf_counter()
    try:
        epochs = [asdict(event) for event in fit(network, data, config) if event.kind == "epoch"]
    except TrainingError:
        epochs = []
    seconds = perf_counter() - started
    logits = predict(network, data.test, Standardise(*scaling(data.spec, config.normalise)))
    return epochs, seconds, logits.numpy().astype(np.float16)


def _paths(folder: Path, name: str) -> tuple[Path, Path]:
    return folder / f"{name}.json", folder / f"{name}.npy"


if __name__ == "__main__":
    train_all(Path(sys.argv[1]) if len(sys.argv) > 1 else default_folder())
