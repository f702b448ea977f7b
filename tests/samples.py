"""Small pieces of the embedded sample for tests that train, and one that cannot be had."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from threading import Event
from urllib.error import URLError

import pytest
import torch

from cnnlab.data.datasets import DATASETS
from cnnlab.data.loading import Data, load
from cnnlab.data.splits import Split
from cnnlab.drawings.strokes import Drawing, LabelledDrawing
from cnnlab.networks.architecture import Architecture
from cnnlab.networks.layers import Conv2d, Flatten, Linear, MaxPool2d
from cnnlab.networks.presets import PRESETS

TINY = Architecture(
    name="tiny",
    title="Tiny",
    layers=(Conv2d(out_channels=2), MaxPool2d(kernel_size=4), Flatten(), Linear(out_features="classes")),
)
WITH_DROPOUT = PRESETS["seven-step-mnist"]


def few_digits(train: int = 64, held_out: int = 20) -> Data:
    """The sample cut to its first ``train`` images and ``held_out`` for each of validation and test."""
    whole = load("mnist-sample")

    def cut(split: Split, count: int) -> Split:
        order = torch.randperm(len(split), generator=torch.Generator().manual_seed(0))[:count]
        return Split(split.images[order], split.labels[order])

    return replace(
        whole, train=cut(whole.train, train), validation=cut(whole.validation, held_out), test=cut(whole.test, held_out)
    )


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
