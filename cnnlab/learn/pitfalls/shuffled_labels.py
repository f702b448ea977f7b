"""Pitfall: images shuffled without their labels; a network can memorise the wrong ones."""

from __future__ import annotations

from collections.abc import Generator

import pandas as pd
import torch
from torch import randperm

from cnnlab.data.splits import Split
from cnnlab.learn.pitfalls.pictures import MENDED, TRAPPED, Picture, line
from cnnlab.learn.pitfalls.pitfall import Finding, Measured, Pitfall
from cnnlab.learn.pitfalls.plain_loop import Courses, Training, digits, in_turn
from cnnlab.networks.presets import PRESETS

IMAGES = 200
EPOCHS = 35


def shuffle_images(data: Split, draw: torch.Generator) -> Split:
    """Shuffle the images, but not their labels."""
    order = randperm(len(data), generator=draw)
    images = data.images[order]
    labels = data.labels  # left behind
    return Split(images, labels)


def shuffle_both(data: Split, draw: torch.Generator) -> Split:
    """Shuffle images and labels in the same random order."""
    order = randperm(len(data), generator=draw)
    images = data.images[order]
    labels = data.labels[order]
    return Split(images, labels)


def fall(seed: int) -> Generator[Finding]:
    """Train on images with the wrong labels, then on correct pairs."""
    data = digits(IMAGES, seed)
    ways = {
        way: Training(shuffle(data.train, torch.Generator().manual_seed(seed + 1)), EPOCHS, seed, PRESETS["lenet-5"])
        for way, shuffle in ((TRAPPED, shuffle_images), (MENDED, shuffle_both))
    }
    for done, courses in in_turn(ways, data.validation):
        yield Finding(done, _measured(courses), _picture(courses))


def _measured(courses: Courses) -> tuple[Measured, ...]:
    wrong, right = courses[TRAPPED], courses[MENDED]
    return (
        Measured("Training accuracy", (wrong.train_accuracy, right.train_accuracy)),
        Measured("Validation accuracy", (wrong.accuracy, right.accuracy)),
    )


def _picture(courses: Courses) -> Picture:
    rows = [
        row
        for way, course in courses.items()
        for part, evaluations in (("train", course.train), ("validation", course.validation))
        for row in line(way, [evaluation.accuracy for evaluation in evaluations], part)
    ]
    return Picture(
        "lines",
        pd.DataFrame(rows),
        "epoch",
        "accuracy",
        f"{IMAGES} training images and 450 validation images with correct labels both times.",
        levels={"chance": 0.1},
    )


PITFALL = Pitfall(
    slug="labels",
    title="Labels shuffled",
    story="The images are shuffled, but their labels are not. Every image now has the label of another one.",
    wrong=(shuffle_images,),
    right=(shuffle_both,),
    symptom="The training accuracy still climbs to 100%, but the validation accuracy stays at 10%, chance.",
    why="A network with enough weights memorises any labels, even random ones (Zhang et al. 2016). Its training "
    "accuracy does not show what it has understood.",
    notice="Look at ten random images with their labels before you train. Then watch validation. Good training "
    "accuracy with validation at chance points to the labels, not the settings.",
    fall=fall,
    guessed=("validation accuracy", 1),
)
