"""Seconds of training to an accuracy: our recipe Quick, the same shortened, and a tutorial."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import torch
from torch import nn
from torch.utils.data import Dataset

from cnnlab.bench import tutorial
from cnnlab.bench.rounds import Report, Rows, Say, Terms, alone
from cnnlab.data.batches import Standardise, scaling
from cnnlab.data.loading import Data
from cnnlab.evaluation.evaluate import evaluate
from cnnlab.training.config import RunConfig
from cnnlab.training.device import choose_device, wait_for
from cnnlab.training.loop import fit
from cnnlab.training.recipes import RECIPES
from cnnlab.training.run_data import load_for, network_for

CHECKS_PER_EPOCH = 10  # tests during an epoch, with the clock stopped


@dataclass(frozen=True)
class Race:
    """A race to the accuracy ``target``: our recipe Quick unchanged, the same shortened to it, or a tutorial."""

    target: float  # accuracy on the test images, a fraction
    tutorial: str
    dataset: str
    epochs: int
    train_fraction: float = 1.0


RACES = {
    "mnist-98": Race(0.98, "basic-cnn", "mnist", epochs=1, train_fraction=0.18),
    "mnist-99": Race(0.99, "seven-step-mnist", "mnist", epochs=1),
    "fashion-91": Race(0.91, "fashion-part-3", "fashion-mnist", epochs=4),
}


def measure(terms: Terms, say: Say) -> Report:
    """Measure each race. Raises DatasetError where a data set is missing."""
    report = {}
    for name in terms.effort.races:
        say(f"time to accuracy: {name}")
        report[name] = alone(_race, RACES[name], terms.effort.race_rounds, terms.folder, terms.precision)
    return report


def rows(report: Report) -> Rows:
    """Return the lines of a table."""
    lines = [("time to accuracy", "tutorial / ours", "seconds")]
    for name, row in report.items():
        theirs = f"{row['tutorial_s']:.1f}"
        lines += [
            (f"{name}, recipe Quick", f"{row['quick_ratio']:.1f}", f"{theirs} / {row['quick_s']:.2f}"),
            (f"{name}, Quick shortened", f"{row['ratio']:.1f}", f"{theirs} / {row['ours_s']:.2f}"),
        ]
    return lines


def _race(race: Race, rounds: int, folder: Path | None, precision: str) -> Report:
    """Measure seconds of training until the test accuracy reaches the target; medians over ``rounds`` seeds from 0."""
    whole = RECIPES["quick"].config.model_copy(update={"dataset": race.dataset, "precision": precision})
    short = whole.model_copy(update={"epochs": race.epochs, "train_fraction": race.train_fraction})
    theirs = RECIPES[race.tutorial].config
    with tutorial.training_set(theirs, folder) as images:
        seconds = [
            (
                _our_race(whole, race.target, seed, folder),
                _our_race(short, race.target, seed, folder),
                _tutorial_race(theirs, race.target, seed, images, folder),
            )
            for seed in range(rounds)
        ]
    quick_s, short_s, tutorial_s = (median(column) for column in zip(*seconds, strict=True))
    return {
        "quick_s": quick_s,
        "quick_ratio": tutorial_s / quick_s,
        "ours_s": short_s,
        "tutorial_s": tutorial_s,
        "ratio": tutorial_s / short_s,
    }


def _our_race(config: RunConfig, target: float, seed: int, folder: Path | None) -> float:
    """Return the seconds to the target; a schedule that ends short of it is followed by one twice as long."""
    config = config.model_copy(update={"seed": seed})
    data = load_for(config, folder)
    network = network_for(config, data.spec)
    steps = (event.step * config.batch_size for event in fit(network, data, config) if event.kind == "tick")
    seconds, is_there = _run_to(steps, network, data, config, target)
    if is_there:
        return seconds
    return seconds + _our_race(config.model_copy(update={"epochs": 2 * config.epochs}), target, seed, folder)


def _tutorial_race(config: RunConfig, target: float, seed: int, images: Dataset[Any], folder: Path | None) -> float:
    """Return the seconds to the target, or to the end of the tutorial's training where it stays short of it."""
    torch.manual_seed(seed)  # the loader's shuffling
    config = config.model_copy(update={"seed": seed})
    data = load_for(config, folder)
    network = network_for(config, data.spec)
    steps = tutorial.train(network, images, config, choose_device("auto"))
    return _run_to(steps, network, data, config, target)[0]


def _run_to(
    steps: Iterator[int], network: nn.Module, data: Data, config: RunConfig, target: float
) -> tuple[float, bool]:
    """Return the seconds until ``network`` reaches the target, and whether it did; ``steps`` yields the images seen."""
    device = choose_device("auto")
    test = data.test.to(device)
    standardise = Standardise(*scaling(data.spec, config.normalise), device)
    interval = len(data.train) / CHECKS_PER_EPOCH
    seconds, checks = 0.0, 0
    start = perf_counter()
    for images in steps:
        if images < interval * (checks + 1):
            continue
        wait_for(device)
        seconds += perf_counter() - start
        checks += 1
        if evaluate(network, test, standardise).accuracy >= target:
            return seconds, True
        start = perf_counter()
    wait_for(device)
    seconds += perf_counter() - start
    return seconds, evaluate(network, test, standardise).accuracy >= target
