"""Pitfall: model selection on the test set; the winner's accuracy is too high."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from functools import partial
from statistics import fmean

import pandas as pd
import torch
from torch import Tensor

from cnnlab.evaluation.evaluate import predict
from cnnlab.learn.pitfalls.pictures import MENDED, TRAPPED, Picture, Row, line
from cnnlab.learn.pitfalls.pitfall import Finding, Measured, Pitfall
from cnnlab.learn.pitfalls.plain_loop import UNIT, Training, adam, digits, trained
from cnnlab.networks.architecture import Architecture
from cnnlab.networks.layers import Activation, Conv2d, Flatten, Linear, MaxPool2d

SMALL = Architecture(
    name="small",
    title="Small",
    layers=(
        Conv2d(out_channels=8, kernel_size=5, stride=2),
        Activation(),
        MaxPool2d(),
        Flatten(),
        Linear(out_features="classes"),
    ),
)
CANDIDATES = 20
TRIED = (1, 2, 5, 10, CANDIDATES)
TRAIN, HELD_OUT = 300, 2000  # images
JUDGES = 100  # images of a test set, and of a validation set
TIMES = 200  # random test and validation sets
REPORTED, TRUE = "reported", "on fresh images"


def choose_by_test(validation: Tensor, test: Tensor) -> tuple[int, float]:
    """Choose by test accuracy; return the winner and its reported accuracy, from hits (candidates, images)."""
    winner = int(test.mean(1).argmax())
    return winner, float(test[winner].mean())


def choose_by_validation(validation: Tensor, test: Tensor) -> tuple[int, float]:
    """Choose by validation accuracy; return the winner and its reported accuracy, from hits (candidates, images)."""
    winner = int(validation.mean(1).argmax())
    return winner, float(test[winner].mean())


Choice = Callable[[Tensor, Tensor], tuple[int, float]]
WAYS: dict[str, Choice] = {TRAPPED: choose_by_test, MENDED: choose_by_validation}


def fall(seed: int) -> Generator[Finding]:
    """Train one recipe with many seeds, then choose among the networks by many small test sets."""
    images = digits(TRAIN + HELD_OUT, seed).train
    train, fresh = images.part(slice(TRAIN)), images.part(slice(TRAIN, None))
    hits = []
    for number in range(CANDIDATES):
        candidate = Training(train, 5, CANDIDATES * seed + number, SMALL, optimizer=partial(adam, rate=0.01))
        network = trained(candidate)
        hits.append((predict(network, fresh.images, UNIT).argmax(1) == fresh.labels).float())
        yield Finding((number + 1) / (CANDIDATES + 1))
    rows = list(_rows(torch.stack(hits), seed))
    yield Finding(1.0, _measured(rows), _picture(rows))


def _rows(hits: Tensor, seed: int) -> Iterator[Row]:
    """Compute means over TIMES random sets, for some and for all candidates; hits (candidates, HELD_OUT)."""
    generator = torch.Generator().manual_seed(seed)
    orders = [torch.randperm(HELD_OUT, generator=generator) for _ in range(TIMES)]
    for way, choose in WAYS.items():
        told = [[_once(choose, hits[:tried, order]) for order in orders] for tried in TRIED]
        means = [(fmean(one) for one in zip(*draws, strict=True)) for draws in told]
        for part, values in zip((REPORTED, TRUE), zip(*means, strict=True), strict=True):
            yield from line(way, values, part, TRIED)


def _once(choose: Choice, hits: Tensor) -> tuple[float, float]:
    """Return the winner's reported accuracy and its accuracy on images used for neither choice nor report."""
    validation, test, fresh = hits.split([JUDGES, JUDGES, HELD_OUT - 2 * JUDGES], dim=1)
    winner, reported = choose(validation, test)
    return reported, float(fresh[winner].mean())


def _measured(rows: list[Row]) -> tuple[Measured, ...]:
    final = {(row["way"], row["part"]): row["y"] for row in rows if row["x"] == CANDIDATES}
    reported, true = ((final[TRAPPED, part], final[MENDED, part]) for part in (REPORTED, TRUE))
    return (
        Measured(f"Test accuracy reported, best of {CANDIDATES}", reported),
        Measured("The winner's accuracy on fresh images", true),
        Measured("Overestimate, points", (100 * (reported[0] - true[0]), 100 * (reported[1] - true[1])), "+.1f"),
    )


def _picture(rows: list[Row]) -> Picture:
    return Picture(
        "lines",
        pd.DataFrame(rows),
        "candidates tried",
        "accuracy",
        f"The same recipe with {CANDIDATES} seeds, so no candidate is better. Means over {TIMES} draws of {JUDGES} "
        f"validation and {JUDGES} test images; the other {HELD_OUT - 2 * JUDGES:,} are fresh.",
        from_zero=False,
    )


PITFALL = Pitfall(
    slug="test-set",
    title="Choosing on the test set",
    story="You try many settings, then keep and report the one with the best test accuracy. The same images choose it "
    "and score it.",
    wrong=(choose_by_test,),
    right=(choose_by_validation,),
    symptom="The reported accuracy grows with the number of candidates, although none is better. On fresh images the "
    "winner is as good as any other.",
    why="A test set of 100 images is off by some points, differently for every candidate. The best of many is the "
    "luckiest.",
    notice="Count how often you use the test set: once is right. Choose by validation, as Sweep and early stopping do. "
    "Report the test accuracy of the chosen one.",
    fall=fall,
    guessed=("reported test accuracy", 0),
)
