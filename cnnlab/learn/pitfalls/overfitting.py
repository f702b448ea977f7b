"""Pitfall: overfitting without validation; the training loss keeps falling, and nothing shows when to stop."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial

import pandas as pd

from cnnlab.learn.pitfalls.pictures import MENDED, TRAPPED, Picture, line
from cnnlab.learn.pitfalls.pitfall import Finding, Measured, Pitfall
from cnnlab.learn.pitfalls.plain_loop import Course, Training, adam, digits, in_turn

IMAGES = 200
EPOCHS = 40


def keep_last(train: list[float], validation: list[float]) -> int:
    """Choose the last epoch; ``train`` and ``validation`` are the losses after each."""
    return len(train) - 1


def keep_best(train: list[float], validation: list[float]) -> int:
    """Choose the best epoch so far once five in a row have not improved on it."""
    patience, best = 5, 0
    for epoch, loss in enumerate(validation):
        if loss < validation[best]:
            best = epoch
        if epoch - best == patience:
            break
    return best


def fall(seed: int) -> Generator[Finding]:
    """Train on few images for many epochs once; then choose an epoch each way."""
    data = digits(IMAGES, seed)
    training = Training(data.train, EPOCHS, seed, optimizer=partial(adam, rate=0.01))
    for done, courses in in_turn({TRAPPED: training}, data.validation):
        course = courses[TRAPPED]
        yield Finding(done, _measured(course), _picture(course))


def _kept(course: Course) -> list[int]:
    train, validation = ([epoch.loss for epoch in split] for split in (course.train, course.validation))
    return [keep(train, validation) for keep in (keep_last, keep_best)]


def _measured(course: Course) -> tuple[Measured, ...]:
    last, best = _kept(course)

    train, validation = course.train, course.validation
    return (
        Measured("Best epoch", (last + 1, best + 1), ".0f"),
        Measured("Training loss there", (train[last].loss, train[best].loss), ".3f"),
        Measured("Validation loss there", (validation[last].loss, validation[best].loss), ".3f"),
        Measured("Validation accuracy there", (validation[last].accuracy, validation[best].accuracy)),
    )


def _picture(course: Course) -> Picture:
    train, validation = ([epoch.loss for epoch in split] for split in (course.train, course.validation))
    _, best = _kept(course)
    return Picture(
        "lines",
        pd.DataFrame([*line(TRAPPED, train, "training loss"), *line(MENDED, validation, "validation loss")]),
        "epoch",
        "loss (cross-entropy)",
        f"One training on {IMAGES} images; the validation loss uses 450 others. With the pitfall, you see only the "
        "training loss.",
        places={"early stopping keeps": best + 1},
    )


PITFALL = Pitfall(
    slug="overfitting",
    title="Overfitting without validation",
    story="Few images, many epochs, and you watch only the training loss. It falls to zero, so training seems to get "
    "better and better.",
    wrong=(keep_last,),
    right=(keep_best,),
    symptom="The training loss falls to 0. The loss on new images falls, then rises. Their accuracy may stay the same "
    "or even rise a little, which hides the problem.",
    why="Once all training images are right, the loss falls only if the network becomes more confident. It becomes "
    "just as confident in its mistakes. Cross-entropy punishes these most.",
    notice="Hold images out and plot their loss next to the training loss. Keep the epoch with the lowest validation "
    "loss: early stopping. Or make training harder: more images, augmentation, dropout.",
    fall=fall,
    guessed=("validation accuracy", 3),
)
