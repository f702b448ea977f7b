"""Pitfall: softmax before cross-entropy, which already contains one; the loss cannot fall below 1.46."""

from __future__ import annotations

import math
from collections.abc import Generator

import torch.nn.functional as F
from torch import Tensor

from cnnlab.learn.pitfalls.pictures import MENDED, TRAPPED, Picture, of_losses
from cnnlab.learn.pitfalls.pitfall import Finding, Measured, Pitfall
from cnnlab.learn.pitfalls.plain_loop import Courses, Training, digits, in_turn

EPOCHS = 5
FLOOR = -math.log(math.e / (math.e + 9))  # ten classes: probability 1 for the correct one, 0 for the others


def of_probabilities(logits: Tensor, labels: Tensor) -> Tensor:
    """Compute the loss of a batch from probabilities."""
    probabilities = F.softmax(logits, dim=1)
    return F.cross_entropy(probabilities, labels)


def of_logits(logits: Tensor, labels: Tensor) -> Tensor:
    """Compute the loss of a batch from logits."""
    return F.cross_entropy(logits, labels)


def fall(seed: int) -> Generator[Finding]:
    """Train twice, with and without the extra softmax."""
    data = digits(1000, seed)
    ways = {
        TRAPPED: Training(data.train, EPOCHS, seed, criterion=of_probabilities),
        MENDED: Training(data.train, EPOCHS, seed, criterion=of_logits),
    }
    for done, courses in in_turn(ways, data.validation):
        yield Finding(done, _measured(courses), _picture(courses))


def _measured(courses: Courses) -> tuple[Measured, ...]:
    wrong, right = courses[TRAPPED], courses[MENDED]
    return (
        Measured("Training loss, latest epoch", (wrong.latest_loss, right.latest_loss), ".3f"),
        Measured("Lowest possible loss", (FLOOR, 0.0), ".4f"),
        Measured("Validation accuracy", (wrong.accuracy, right.accuracy)),
    )


def _picture(courses: Courses) -> Picture:
    return of_losses(
        {way: course.losses for way, course in courses.items()},
        "A network that is certain and right outputs one probability of 1 and nine of 0. Read as logits, these have "
        f"a loss of −ln(e / (e + 9)) = {FLOOR:.4f}.",
        levels={"−ln(e / (e + 9))": FLOOR},
    )


PITFALL = Pitfall(
    slug="softmax",
    title="Softmax before cross-entropy",
    story="The network ends in a softmax, and its probabilities go into `nn.CrossEntropyLoss`. It expects logits and "
    "has its own softmax, so there are two.",
    wrong=(of_probabilities,),
    right=(of_logits,),
    symptom="The network trains, but more slowly and to a lower accuracy. With ten classes, the loss never falls below "
    "1.46.",
    why="Probabilities are between 0 and 1. So the second softmax gives a class at most e / (e + 9) = 23%, and its "
    "gradients are small.",
    notice="Know the loss of a guess, ln 10 = 2.30, and of a good network, near 0. Let the network output logits. Use "
    "softmax only to show probabilities.",
    fall=fall,
    guessed=("validation accuracy", 2),
)
