"""Pitfall: no shuffling; with data sorted by class a network remembers only the last class."""

from __future__ import annotations

from collections.abc import Generator

import torch
from torch.utils.data import DataLoader, TensorDataset

from cnnlab.data.splits import Split
from cnnlab.learn.pitfalls.pictures import MENDED, TRAPPED, Picture, of_losses
from cnnlab.learn.pitfalls.pitfall import Finding, Measured, Pitfall
from cnnlab.learn.pitfalls.plain_loop import Courses, Loader, Training, digits, in_turn, shuffled

EPOCHS = 5


def as_it_lies(data: Split, draw: torch.Generator) -> Loader:
    """Load batches in the file's order."""
    pairs = TensorDataset(data.images, data.labels)
    return DataLoader(pairs, batch_size=50)


def fall(seed: int) -> Generator[Finding]:
    """Train on images sorted by class, as in the embedded sample's file, then on the same images shuffled."""
    data = digits(1000, seed)
    by_class = data.train.part(data.train.labels.argsort(stable=True))
    ways = {
        TRAPPED: Training(by_class, EPOCHS, seed, loader=as_it_lies),
        MENDED: Training(by_class, EPOCHS, seed, loader=shuffled),
    }
    for done, courses in in_turn(ways, data.validation):
        yield Finding(done, _measured(courses), _picture(courses))


def _measured(courses: Courses) -> tuple[Measured, ...]:
    wrong, right = courses[TRAPPED], courses[MENDED]
    return (
        Measured("Highest loss of a batch, latest epoch", (_highest(wrong.epochs), _highest(right.epochs)), ".2f"),
        Measured("Validation accuracy", (wrong.accuracy, right.accuracy)),
    )


def _highest(epochs: list[list[float]]) -> float | None:
    return max(epochs[-1]) if epochs else None


def _picture(courses: Courses) -> Picture:
    return of_losses(
        {way: course.losses for way, course in courses.items()},
        "Batches of 50 images. Sorted by class, two batches hold each digit, then the next digit follows.",
    )


PITFALL = Pitfall(
    slug="no-shuffle",
    title="No shuffling",
    story="Many files are sorted by class, the app's sample too: first all 0s, then all 1s. Without `shuffle=True` "
    "every batch holds a single class.",
    wrong=(as_it_lies,),
    right=(shuffled,),
    symptom="Within a class the loss is low; at the next class it jumps. Each epoch shows the same zigzag, and the "
    "validation accuracy stays poor.",
    why="A batch of one class teaches the network to answer that class for every image. The next batch teaches "
    "another class, and the network forgets the first.",
    notice="Print the labels of the first batch. If the loss curve repeats every epoch, it shows the order of the "
    "file.",
    fall=fall,
    guessed=("validation accuracy", 1),
)
