"""The memory of trainings against what is said before their start, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

import psutil
import torch

from benchmarks.big_pictures import peak_bytes
from cnnlab.data.datasets import DATASETS
from cnnlab.data.loading import Data
from cnnlab.data.spec import DatasetSpec
from cnnlab.data.splits import Split
from cnnlab.networks.layers import Shape
from cnnlab.networks.presets import PRESETS
from cnnlab.training.config import RunConfig
from cnnlab.training.device import threads_each
from cnnlab.training.loop import fit
from cnnlab.training.memory import needs
from cnnlab.training.run_data import network_for

SMALL, BIG = 32, 128  # pixels: at the most, and at the least
STEPS = 3  # of a training on big images, the first of which take as much as all

# Network, channels, side, batch size, images at once, precision, augmentation.
TRAININGS = (
    ("lean", 1, 28, 128, 0, "float32", "handwriting"),
    ("compact", 1, 28, 128, 0, "float32", "handwriting"),
    ("compact", 1, 28, 128, 0, "bfloat16", "handwriting"),
    ("conv2d-tour", 1, 28, 64, 0, "float32", "none"),
    ("seven-step-mnist", 1, 28, 64, 0, "float32", "none"),
    ("small-resnet", 1, 28, 128, 0, "float32", "affine"),
    ("quick", 3, 32, 128, 0, "float32", "flip"),
    ("small-vgg", 3, 32, 128, 0, "float32", "flip"),
    ("colour", 3, 32, 128, 0, "float32", "trivial"),
    ("colour", 3, 32, 512, 0, "float32", "trivial"),
    ("lean", 3, 128, 64, 0, "float32", "flip"),
    ("lean", 3, 128, 64, 0, "float32", "affine"),
    ("colour", 3, 128, 64, 0, "bfloat16", "trivial"),
    ("lean", 3, 224, 64, 0, "float32", "erase"),
    ("compact", 3, 224, 64, 8, "float32", "flip"),
    ("small-resnet", 3, 224, 64, 8, "float32", "flip"),
    ("small-resnet", 3, 224, 64, 0, "float32", "flip"),
    ("small-vgg", 3, 224, 32, 0, "bfloat16", "flip"),
)

Figures = list[dict[str, Any]]


def measure() -> Figures:
    """Return for each training what it is, and its MB, measured and estimated."""
    return [_in_own_process(number) for number in range(len(TRAININGS))]


def table(figures: Figures) -> str:
    """Write the figures as Markdown."""
    rows = [
        f"| {row['what']} | {row['took']:.0f} | {row['estimate']:.0f} | {row['took'] / row['estimate']:.2f} |"
        for row in figures
    ]
    return "\n".join(["| training | took, MB | estimate, MB | took / estimate |", "|---" * 4 + "|", *rows])


def _in_own_process(number: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.memory", str(number)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(found, flush=True)
    return found


def _train_and_tell(number: int) -> None:
    """Train on random images that are there before, and print what memory the training took at the most."""
    torch.set_num_threads(threads_each())
    name, channels, side, batch, at_once, precision, augmentation = TRAININGS[number]
    config = RunConfig(
        architecture=PRESETS[name],
        epochs=1,
        batch_size=batch,
        micro_batch=at_once,
        precision=precision,
        augmentation=augmentation,
    )
    data = _random_data((channels, side, side), max(STEPS * batch, 2_048 if side <= SMALL else 0))
    network = network_for(config, data.spec)
    before = psutil.Process().memory_info().rss
    for event in fit(network, data, config):
        if side >= BIG and event.kind == "tick" and event.step == STEPS:
            break
    parts = f" in parts of {at_once}" if at_once else ""
    what = f"{name}, {channels}×{side}×{side}, batches of {batch}{parts}, {precision}, {augmentation}"
    took, estimate = peak_bytes() - before, needs(config, data.spec).total
    print(json.dumps({"what": what, "took": took / 1e6, "estimate": estimate / 1e6}))


def _random_data(shape: Shape, images: int) -> Data:
    draws = torch.Generator().manual_seed(0)
    known: DatasetSpec = DATASETS["cifar10" if shape[0] > 1 else "mnist"]

    def split(count: int) -> Split:
        pixels = torch.randint(0, 256, (count, *shape), dtype=torch.uint8, generator=draws)
        return Split(pixels, torch.randint(0, len(known.classes), (count,), generator=draws))

    train, validation = split(images), split(1_000 if shape[-1] <= SMALL else 200)
    # As own pictures are, which the estimate does not count: these were there before.
    spec = replace(known, shape=shape, sizes=(images + len(validation), 1), mapped=lambda: (train, validation))
    return Data(spec, train, validation, split(1))


if __name__ == "__main__":
    _train_and_tell(int(sys.argv[1]))
