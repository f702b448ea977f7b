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
        Measured("Lowest loss there can be", (FLOOR, 0.0), ".4f"),
        Measured("Validation accuracy", (wrong.accuracy, right.accuracy)),
    )


def _picture(courses: Courses) -> Picture:
    return of_losses(
        {way: course.losses for way, course in courses.items()},
        "Sure and right of every image, a network has probabilities of 1 and nine times 0. Taken for logits, these "
        f"have a loss of −ln(e / (e + 9)) = {FLOOR:.4f}.",
        levels={"−ln(e / (e + 9))": FLOOR},
    )


PITFALL = Pitfall(
    slug="softmax",
    title="Softmax before cross-entropy",
    story="The network ends in a softmax, and its probabilities go into `nn.CrossEntropyLoss`. That takes logits and "
    "has a softmax inside, so there are two.",
    wrong=(of_probabilities,),
    right=(of_logits,),
    symptom="It trains, only slower and to a lower accuracy, and the loss stops near 1.46 for ten classes however "
    "good the answers are.",
    why="Probabilities lie between 0 and 1, so the second softmax can never say more than e / (e + 9) = 23 % for a "
    "class, and its gradients are small.",
    notice="Know the loss of a guess, ln 10 = 2.30, and of a good network, near 0. Let the network give logits and "
    "take the softmax only to show probabilities.",
    fall=fall,
)
