"""Knockout: which images a trained network loses without each of its filters, and without several together."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from cnnlab.analysis.surgery import Operated, a_sample
from cnnlab.evaluation.metrics import Floats, Integers
from cnnlab.jobs.worker import Part
from cnnlab.learn.guesses import Ask, Outcome
from cnnlab.networks.operations import Operation
from cnnlab.runs.ancestry import data_of
from cnnlab.runs.example import FOLDER, example_id
from cnnlab.runs.run import Run
from cnnlab.runs.surgery import weights_for
from cnnlab.runs.trained import load_trained


@dataclass(frozen=True)
class Knockout:
    """Right answers of each class, of the whole network and without filters of one layer."""

    layer: str
    images: Integers  # (classes,)
    whole: Integers  # (classes,) right answers
    alone: Integers  # (filters, classes) right answers without one filter
    confidence: Floats  # (filters, classes) mean probability of the true class without it

    @property
    def losses(self) -> Integers:
        """Right answers lost without each filter, negative where some are won: (filters, classes)."""
        return self.whole - self.alone

    @property
    def outcome(self) -> Outcome:
        """What guesses of the class that one filter can hurt most are scored by: images lost, of each class."""
        most = self.losses.max(0).tolist()
        return Outcome({name: float(lost) for name, lost in zip(example_network().whole.classes, most, strict=True)})

    def order(self, label: int) -> list[int]:
        """Number the filters, first the one without which the mean probability of a class is lowest."""
        order: list[int] = self.confidence[:, label].argsort(kind="stable").tolist()
        return order


@lru_cache(maxsize=1)
def example_network() -> Operated:
    """Return the network that comes with the app, on its validation images."""
    run = Run(Path(FOLDER) / example_id())
    trained = load_trained(run)
    images = a_sample(data_of(run).validation, run.config.architecture, len(trained.classes))

    def itself(run_id: str) -> Run:
        return run

    return Operated(trained, images, weights_for(run, itself))


def knock_out(patient: Operated, layer: str) -> Generator[Part[Knockout]]:
    """Switch off the filters of a layer, one at a time."""
    count = patient.parts[layer].filters
    images = patient.whole.images
    alone: list[Integers] = []
    confidence: list[Floats] = []
    for number in range(count):
        found = patient.answers([Operation(kind="off", layer=layer, filters=(number,))])
        alone.append(found.right)
        given = found.probabilities[np.arange(len(found.labels)), found.labels]
        confidence.append(np.bincount(found.labels, given, len(images)) / np.maximum(images, 1))
        yield Part(len(alone) / count)
    yield Part(1.0, Knockout(layer, images, patient.whole.right, np.stack(alone), np.stack(confidence)))


def together(patient: Operated, layer: str, filters: list[int]) -> Integers:
    """Return the right answers of each class without these filters: (classes,)."""
    if not filters:
        return patient.whole.right
    return patient.answers([Operation(kind="off", layer=layer, filters=tuple(filters))]).right


def to_guess(layer: str) -> Ask:
    """Ask which class one filter can hurt most."""
    return Ask(
        f"knockout {layer}",
        f"Only one filter of {layer} is off. Which class can lose most, and how many of its images?",
        tuple(example_network().whole.classes),
        "How many images?",
        "images",
    )
