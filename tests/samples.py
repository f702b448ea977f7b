"""What tests train on and with: pieces of the sample, a set that cannot be had, networks, records, drawings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest
import torch

from cnnlab.data.datasets import DATASETS
from cnnlab.data.loading import Data, load
from cnnlab.data.readers import Arrays
from cnnlab.data.splits import Split
from cnnlab.drawings.strokes import Drawing, LabelledDrawing
from cnnlab.networks.architecture import Architecture
from cnnlab.networks.layers import Conv2d, Flatten, Linear, MaxPool2d
from cnnlab.networks.presets import PRESETS
from cnnlab.runs.entry import Entry, describe
from cnnlab.runs.run import Run
from cnnlab.runs.summary import About, Summary
from cnnlab.training.config import RunConfig
from cnnlab.training.events import EpochMetrics, StepMetrics

TINY = Architecture(
    name="tiny",
    title="Tiny",
    layers=(Conv2d(out_channels=2), MaxPool2d(kernel_size=4), Flatten(), Linear(out_features="classes")),
)
WITH_DROPOUT = PRESETS["seven-step-mnist"]

STEP = StepMetrics(step=8, epoch=0.25, loss=1.5, accuracy=0.5, learning_rate=0.01, images_per_second=1000.0)
EPOCH = EpochMetrics(
    epoch=1,
    step=32,
    train_loss=1.0,
    train_accuracy=0.7,
    validation_loss=0.9,
    validation_accuracy=0.75,
    per_class=(0.5, 1.0),
    learning_rate=0.02,
    images_per_second=900.0,
    seconds=3.5,
)


def few_digits(train: int = 64, held_out: int = 20) -> Data:
    """The sample cut to its first ``train`` images and ``held_out`` for each of validation and test."""
    whole = load("mnist-sample")

    def cut(split: Split, count: int) -> Split:
        order = torch.randperm(len(split), generator=torch.Generator().manual_seed(0))[:count]
        return Split(split.images[order], split.labels[order])

    return replace(
        whole, train=cut(whole.train, train), validation=cut(whole.validation, held_out), test=cut(whole.test, held_out)
    )


def other_sample(monkeypatch: pytest.MonkeyPatch, known: int, new: int) -> str:
    """A data set whose test images are ``known`` of the sample's training images and ``new`` ones, and likewise its
    training images: all of the sample's and 500 ones of noise."""
    train = load("mnist-sample").train
    draws = np.random.default_rng(0)

    def read(folder: Path) -> Arrays:
        noise = draws.integers(0, 256, (500 + new, 1, 28, 28), np.uint8)
        labels = np.arange(500 + new, dtype=np.uint8) % 10
        images = np.concatenate([train.images.numpy(), noise[:500]])
        test = np.concatenate([train.images[:known].numpy(), noise[500:]])
        return (
            images,
            np.concatenate([train.labels.numpy().astype(np.uint8), labels[:500]]),
            test,
            np.concatenate([train.labels[:known].numpy().astype(np.uint8), labels[500:]]),
        )

    spec = replace(DATASETS["mnist-sample"], name=f"other-{known}-{new}", title="Another sample", read=read)
    monkeypatch.setitem(DATASETS, spec.name, spec)
    return spec.name


class Stalled:
    """The data set "stalled": its download stalls until it ``fails``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked = 0
        self.begun, self.fails = Event(), Event()
        spec = replace(DATASETS["mnist-sample"], name="stalled", title="Stalled", files=("none",), fetch=self._fetch)
        monkeypatch.setitem(DATASETS, "stalled", spec)

    def _fetch(self, folder: Path) -> None:
        self.asked += 1
        self.begun.set()
        self.fails.wait()
        raise URLError("the line was cut")


SEVEN = Drawing(strokes=[[(0.3, 0.25), (0.5, 0.24), (0.7, 0.25), (0.6, 0.5), (0.5, 0.8)]], pen=0.08)


def lesson(label: str = "7", lean: float = 0.0) -> LabelledDrawing:
    """That seven with a name of its own, leaning by ``lean`` of its height."""
    strokes = [[(x + lean * (0.5 - y), y) for x, y in stroke] for stroke in SEVEN.strokes]
    return LabelledDrawing(strokes=strokes, pen=SEVEN.pen, label=label)


def entry_of(run: Run, config: RunConfig, summary: Summary, about: About, saved: tuple[int, ...] = (1,)) -> Entry:
    """The entry of a run that has no files, as if these were in them."""
    made = describe(run, config, summary, about, saved)
    vars(made).update(config=config, summary=summary, about=about)
    return made


def told(name: str, results: Mapping[str, object], settings: Mapping[str, object]) -> Entry:
    """The entry of a run of digits that was never trained, with these results in its summary."""
    described = {"classes": tuple("0123456789"), "shape": (1, 28, 28), "mean": (0.1,), "std": (0.3,)}
    begun = {"id": "run", "created": datetime.now(UTC), "status": "finished"}
    summary = Summary.model_validate(begun | described | dict(results))
    return entry_of(Run(Path(name)), RunConfig.model_validate(settings), summary, About())


def changed(entry: Entry, **files: object) -> Entry:
    """An entry with another config, summary or notes."""
    contents: dict[str, Any] = {"config": entry.config, "summary": entry.summary, "about": entry.about} | files
    return entry_of(entry.run, **contents)
