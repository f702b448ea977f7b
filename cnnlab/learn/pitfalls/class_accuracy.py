"""Pitfall: per-class accuracy computed on the first four images of each batch."""

from __future__ import annotations

from collections.abc import Callable, Generator

import pandas as pd
import torch
from torch import Tensor

from cnnlab.evaluation.evaluate import predict
from cnnlab.learn.pitfalls.pictures import MENDED, TRAPPED, Picture, Row, judged
from cnnlab.learn.pitfalls.pitfall import Finding, Measured, Pitfall
from cnnlab.learn.pitfalls.plain_loop import UNIT, Training, digits, epochs, new_network

BATCH = 50  # images


def count_four(answers: Tensor, labels: Tensor, right: Tensor, seen: Tensor) -> None:
    """Count a batch's images and correct predictions per class, from its first four images only."""
    for i in range(4):  # of 50 images
        label = labels[i]
        right[label] += answers[i] == label
        seen[label] += 1


def count_all(answers: Tensor, labels: Tensor, right: Tensor, seen: Tensor) -> None:
    """Count a batch's images and correct predictions per class."""
    for i in range(len(labels)):
        label = labels[i]
        right[label] += answers[i] == label
        seen[label] += 1


Count = Callable[[Tensor, Tensor, Tensor, Tensor], None]
COUNTS: dict[str, Count] = {TRAPPED: count_four, MENDED: count_all}


def fall(seed: int) -> Generator[Finding]:
    """Train a network, then make both tables of its predictions for the test images."""
    data = digits(1000, seed)
    training = Training(data.train, 4, seed)
    network = new_network(training)
    for done, _ in enumerate(epochs(training, network), start=1):
        yield Finding(done / (training.epochs + 1))
    answers = predict(network, data.test.images, UNIT).argmax(1)
    rows = {way: _rows(way, count, answers, data.test.labels) for way, count in COUNTS.items()}
    yield Finding(1.0, _measured(rows[TRAPPED], rows[MENDED]), _picture([*rows[TRAPPED], *rows[MENDED]]))


def _rows(way: str, count: Count, answers: Tensor, labels: Tensor) -> list[Row]:
    """Make one row per class from the counts over all batches."""
    right, seen = torch.zeros(2, 10, dtype=torch.long)
    for batch in zip(answers.split(BATCH), labels.split(BATCH), strict=True):
        count(*batch, right, seen)
    counts = zip(right.tolist(), seen.tolist(), strict=True)
    return [judged(way, str(digit), *both) | {"images": both[1]} for digit, both in enumerate(counts)]


def _measured(four: list[Row], whole: list[Row]) -> tuple[Measured, ...]:
    off = (abs(one["y"] - other["y"]) for one, other in zip(four, whole, strict=True) if one["images"])
    return (
        Measured("Test images counted", (_images(four), _images(whole)), ",.0f"),
        Measured("Widest 95% interval of a class, points", (_widest(four), _widest(whole)), ".0f"),
        Measured("Farthest from the whole table, points", (100 * max(off), 0.0), ".0f"),
    )


def _images(rows: list[Row]) -> float:
    return float(sum(row["images"] for row in rows))


def _widest(rows: list[Row]) -> float:
    return 100 * float(max(row["high"] - row["low"] for row in rows))


def _picture(rows: list[Row]) -> Picture:
    return Picture(
        "points",
        pd.DataFrame(rows),
        "digit",
        "test accuracy",
        "The same answers of one network, counted both ways. Bars are 95% intervals. A class without a point had no "
        "image among the first four of any batch.",
    )


PITFALL = Pitfall(
    slug="first-four",
    title="Metrics on the first four images of a batch",
    story="A tutorial counts its hits per class with `range(4)`, because its batches had four images. The batches "
    "grew, but not the loop: most test images are never counted.",
    wrong=(count_four,),
    right=(count_all,),
    symptom="A table of ten accuracies that looks complete, with round numbers such as 100% or 67%. It changes "
    "whenever the order of the images changes.",
    why="Each class is tested on a handful of images. Its interval is so wide that it contains nearly any accuracy.",
    notice="Print the number of images next to every accuracy. Their sum must be the size of the test set. Evaluate "
    "shows both, with intervals.",
    fall=fall,
)
