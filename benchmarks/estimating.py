"""The estimated time of an epoch against real epochs, for every preset: python -m benchmarks.estimating.

Run it on an otherwise idle machine: with other work on its cores, threads that wait for one another distort both.
"""

from __future__ import annotations

from dataclasses import replace
from statistics import median
from time import perf_counter
from typing import Any

import torch

from cnnlab.bench.rounds import alone
from cnnlab.data.datasets import dataset_spec
from cnnlab.data.loading import Data
from cnnlab.data.splits import Split
from cnnlab.networks.presets import PRESETS
from cnnlab.training.config import RunConfig
from cnnlab.training.epoch_time import Stopwatch, epoch_images
from cnnlab.training.loop import fit
from cnnlab.training.run_data import load_for, network_for

ROUNDS = 3  # each an estimate by a new stopwatch, then epochs: a machine that slows down affects both
EPOCHS = 3  # actually trained; the first is a warm-up
COLOUR = ("quick", "compact", "basic-cnn", "small-resnet")
COLOUR_IMAGES = 3_000

Figures = dict[str, Any]


def measure() -> dict[str, Figures]:
    """Return for each network seconds of an epoch, estimated and true, their ratio, and seconds of measuring."""
    digits = {name: RunConfig(architecture=PRESETS[name], epochs=EPOCHS) for name in PRESETS}
    figures = {f"{name}, 28×28": _figures(config, load_for(config)) for name, config in digits.items()}
    for name in COLOUR:
        config = digits[name].model_copy(update={"dataset": "cifar10"})
        figures[f"{name}, 32×32 in colour"] = _figures(config, _colour(config))
    return figures


def table(figures: dict[str, Figures]) -> str:
    """Return the figures as a table in Markdown."""
    rows = [
        f"| {name} | {row['estimate']:.2f} | {row['truth']:.2f} | {row['ratio']:.2f} | {row['measuring']:.1f} |"
        for name, row in figures.items()
    ]
    head = "| network | estimate, s | epoch, s | estimate / epoch | measuring, s |\n"
    return head + "|---" * 5 + "|\n" + "\n".join(rows)


def _figures(config: RunConfig, data: Data) -> Figures:
    rounds = [alone(_round, config, data) for _ in range(ROUNDS)]
    return {name: median(row[name] for row in rounds) for name in rounds[0]}


def _round(config: RunConfig, data: Data) -> Figures:
    stopwatch = Stopwatch()
    began = perf_counter()
    stopwatch.want("", config.architecture, config, data.spec)
    for _ in stopwatch.measurements():
        pass
    measuring = perf_counter() - began
    estimate = stopwatch.epoch(config.architecture, config, data.spec).total or 0.0
    truth = _epoch_seconds(config, data)
    return {"estimate": estimate, "truth": truth, "ratio": estimate / truth, "measuring": measuring}


def _epoch_seconds(config: RunConfig, data: Data) -> float:
    network = network_for(config, data.spec)
    ends = [event.seconds for event in fit(network, data, config) if event.kind == "epoch"]
    return (ends[-1] - ends[0]) / (len(ends) - 1)


def _colour(config: RunConfig) -> Data:
    """Return random images of CIFAR-10's size: their content does not affect the time."""
    spec = replace(dataset_spec("cifar10"), sizes=(COLOUR_IMAGES, 0))
    draws = torch.Generator().manual_seed(0)

    def split(count: int) -> Split:
        images = torch.randint(0, 256, (count, *spec.shape), generator=draws, dtype=torch.uint8)
        return Split(images, torch.arange(count) % len(spec.classes))

    trained, judged = epoch_images(config, spec)
    return Data(spec, split(trained), split(judged), split(1))


if __name__ == "__main__":
    print(table(measure()))
