"""Pitfall: gradients not zeroed; every step follows the sum of all gradients so far."""

from __future__ import annotations

import math
from collections.abc import Generator

from torch import Tensor, nn
from torch.optim import SGD, Optimizer

from cnnlab.learn.pitfalls.pictures import MENDED, TRAPPED, Picture, of_losses
from cnnlab.learn.pitfalls.pitfall import Finding, Measured, Pitfall
from cnnlab.learn.pitfalls.plain_loop import Courses, Training, digits, in_turn, update

EPOCHS = 6


def update_on_all(optimizer: Optimizer, loss: Tensor) -> None:
    """Take one step along the sum of all gradients so far."""
    loss.backward()  # adds to what is there
    optimizer.step()


def fall(seed: int) -> Generator[Finding]:
    """Train twice with plain SGD, with and without zero_grad()."""
    data = digits(1000, seed)
    ways = {
        TRAPPED: Training(data.train, EPOCHS, seed, update=update_on_all, optimizer=_sgd),
        MENDED: Training(data.train, EPOCHS, seed, update=update, optimizer=_sgd),
    }
    for done, courses in in_turn(ways, data.validation):
        yield Finding(done, _measured(courses), _picture(courses))


def _sgd(network: nn.Module) -> Optimizer:
    return SGD(network.parameters(), lr=0.1)


def _measured(courses: Courses) -> tuple[Measured, ...]:
    wrong, right = courses[TRAPPED], courses[MENDED]
    return (
        Measured("Training loss, latest epoch", (wrong.latest_loss, right.latest_loss), ".3f"),
        Measured("Validation accuracy", (wrong.accuracy, right.accuracy)),
    )


def _picture(courses: Courses) -> Picture:
    return of_losses(
        {way: course.losses for way, course in courses.items()},
        "Plain SGD at a rate of 0.1 on the same batches. Values above 5 are cut off.",
        levels={"a guess, ln 10": math.log(10)},
        highest=5.0,
    )


PITFALL = Pitfall(
    slug="zero-grad",
    title="Gradients not zeroed",
    story="The line with `zero_grad()` is missing. PyTorch adds each batch's gradient to the previous ones. So a step "
    "follows the sum of all batches since the first.",
    wrong=(update_on_all,),
    right=(update,),
    symptom="At first it learns, even fast. Then the loss swings more and more, and the network forgets.",
    why="The sum is a momentum that never fades. Old gradients, from where the weights used to be, overshoot every "
    "minimum.",
    notice="Watch for a loss that swings more the longer it trains. Print the gradient's norm: it should shrink with "
    "the loss. Put the three lines into one function.",
    fall=fall,
    guessed=("validation accuracy", 1),
)
