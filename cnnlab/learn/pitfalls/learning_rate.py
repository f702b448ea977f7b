"""Pitfall: learning rate too high or too low, and what the finder suggests."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from functools import partial

import numpy as np
import pandas as pd
from torch import nn
from torch.optim import Adam, Optimizer

from cnnlab.data.loading import Data
from cnnlab.learn.pitfalls.pictures import MENDED, TRAPPED, Picture, line
from cnnlab.learn.pitfalls.pitfall import Finding, Measured, Pitfall
from cnnlab.learn.pitfalls.plain_loop import Courses, Training, digits, in_turn
from cnnlab.networks.presets import PRESETS
from cnnlab.training.config import RunConfig
from cnnlab.training.lr_finder import ramp, suggest

TOO_HIGH, TOO_LOW = "too high", "too low"
PLAIN = RunConfig(  # the plain loop's training, as a config for the finder
    architecture=PRESETS["basic-cnn"],
    optimizer="adam",
    weight_decay=0.0,
    batch_size=50,
    augmentation="none",
    normalise="unit",
    device="cpu",
)


def too_high(network: nn.Module) -> Optimizer:
    """Create the optimiser with a learning rate that is too high."""
    return Adam(network.parameters(), lr=0.5)


def too_low(network: nn.Module) -> Optimizer:
    """Create the optimiser with a learning rate that is too low."""
    return Adam(network.parameters(), lr=1e-5)


def find_rate(data: Data, config: RunConfig) -> float:
    """Return the finder's suggestion after a short ramp of learning rates."""
    return suggest(list(ramp(data, config)))


def found(network: nn.Module, rate: float) -> Optimizer:
    """Create the optimiser with the learning rate ``rate``."""
    return Adam(network.parameters(), lr=rate)


def fall(seed: int) -> Generator[Finding]:
    """Train at a learning rate too high, one too low, and the one that the finder suggests."""
    data = digits(1000, seed)
    yield Finding(0.0)
    rate = find_rate(data, PLAIN)
    ways = {
        TOO_HIGH: Training(data.train, 4, seed, optimizer=too_high),
        TOO_LOW: Training(data.train, 4, seed, optimizer=too_low),
        MENDED: Training(data.train, 4, seed, optimizer=partial(found, rate=rate)),
    }
    for done, courses in in_turn(ways, data.validation):
        yield Finding(done, _measured(courses, rate), _picture(courses))


def _measured(courses: Courses, rate: float) -> tuple[Measured, ...]:
    high, low, mended = courses[TOO_HIGH], courses[TOO_LOW], courses[MENDED]
    return (
        Measured("Learning rate, too high", (_rate(too_high), rate), ".2g"),
        Measured("Validation accuracy at it", (high.accuracy, mended.accuracy)),
        Measured("Learning rate, too low", (_rate(too_low), rate), ".2g"),
        Measured("Validation accuracy there", (low.accuracy, mended.accuracy)),
    )


def _rate(make: Callable[[nn.Module], Optimizer]) -> str:
    """Write the learning rate of an optimiser as text."""
    return np.format_float_positional(make(nn.Linear(1, 1)).param_groups[0]["lr"])


def _picture(courses: Courses) -> Picture:
    rows = [
        row
        for name, course in courses.items()
        for row in (line(MENDED, course.losses) if name == MENDED else line(TRAPPED, course.losses, name))
    ]
    return Picture(
        "lines",
        pd.DataFrame(rows),
        "batch",
        "training loss (cross-entropy)",
        "Too high: the loss jumps up and stays at a guess. Too low: it hardly moves. Values above 4 are cut off.",
        levels={"a guess, ln 10": math.log(10)},
        highest=4.0,
    )


PITFALL = Pitfall(
    slug="learning-rate",
    title="Learning rate too high or too low",
    story="The rate comes from a tutorial with another optimiser, or a zero is missing. Steps that are too large throw "
    "the weights off. Steps that are too small never arrive.",
    wrong=(too_high, too_low),
    right=(find_rate, found),
    symptom="Both end near a guess: 10% and a loss of ln 10 = 2.30. Too high jumps there, too low never leaves it.",
    why="Adam moves each weight by about the rate at every step, whatever the gradient's size. 0.5 is more than the "
    "weights themselves. 0.00001 needs a thousand times as many steps.",
    notice="Plot the loss of each batch from the start. Try rates in factors of ten, or use the learning-rate finder. "
    "It raises the rate during one short training and suggests a tenth of the highest that still learns.",
    fall=fall,
    guessed=("validation accuracy at the rate that is too high", 1),
)
