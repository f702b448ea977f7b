"""Pitfall: eval() forgotten, so dropout stays on and batch norm normalises by the batch."""

from __future__ import annotations

from collections.abc import Callable, Generator
from copy import deepcopy
from statistics import fmean, stdev

import pandas as pd
import torch
from torch import Tensor, nn

from cnnlab.data.splits import Split
from cnnlab.learn.pitfalls.pictures import MENDED, TRAPPED, Picture, Row
from cnnlab.learn.pitfalls.pitfall import Finding, Measured, Pitfall
from cnnlab.learn.pitfalls.plain_loop import Training, digits, epochs, new_network
from cnnlab.networks.architecture import Architecture
from cnnlab.networks.layers import Activation, BatchNorm2d, Conv2d, Dropout, Flatten, Linear, MaxPool2d

WITH_BOTH = Architecture(
    name="with-norm-and-dropout",
    title="Batch norm and dropout",
    layers=(
        *(
            layer
            for width in (8, 16)
            for layer in (Conv2d(out_channels=width, padding=1), BatchNorm2d(), Activation(), MaxPool2d())
        ),
        Flatten(),
        Dropout(p=0.5),
        Linear(out_features="classes"),
    ),
)
TIMES = 5  # repeated predictions
SIZES = (1, 8, 100)  # batch sizes


def answer_as_left(network: nn.Module, images: Tensor) -> Tensor:
    """Predict in the mode that training left."""
    logits: Tensor = network(images)  # no eval
    return logits.argmax(1)


def answer_in_eval(network: nn.Module, images: Tensor) -> Tensor:
    """Predict in evaluation mode."""
    network.eval()
    with torch.no_grad():
        logits: Tensor = network(images)
    return logits.argmax(1)


Answer = Callable[[nn.Module, Tensor], Tensor]


def fall(seed: int) -> Generator[Finding]:
    """Train one network, then predict several times in each mode, in batches of several sizes."""
    data = digits(1000, seed, test=200)
    training = Training(data.train, 3, seed, WITH_BOTH)
    network = new_network(training)
    for done, _ in enumerate(epochs(training, network), start=1):
        yield Finding(done / (training.epochs + len(SIZES)))
    asked: dict[tuple[str, int], Tensor] = {}
    for done, size in enumerate(SIZES, start=1):
        for way, answer in ((TRAPPED, answer_as_left), (MENDED, answer_in_eval)):
            asked[way, size] = _asked(answer, network, data.test, size)
        rows = [_row(way, size, hits == data.test.labels) for (way, size), hits in asked.items()]
        yield Finding((training.epochs + done) / (training.epochs + len(SIZES)), _measured(rows, asked), _picture(rows))


def _asked(answer: Answer, network: nn.Module, test: Split, size: int) -> Tensor:
    """Predict TIMES times: (TIMES, N) classes; the network and its running means stay as they were."""
    own = deepcopy(network)
    batches = [batch.float() / 255 for batch in test.images.split(size)]
    with torch.no_grad():
        return torch.stack([torch.cat([answer(own, batch) for batch in batches]) for _ in range(TIMES)])


def _row(way: str, size: int, hits: Tensor) -> Row:
    """Compute the mean accuracy over the repetitions, with one standard deviation to each side."""
    accuracies = hits.double().mean(1).tolist()
    mean, sd = fmean(accuracies), stdev(accuracies)
    return {"way": way, "x": f"batches of {size}", "y": mean, "sd": sd, "low": mean - sd, "high": mean + sd}


def _measured(rows: list[Row], asked: dict[tuple[str, int], Tensor]) -> tuple[Measured, ...]:
    accuracies = (
        Measured(f"Test accuracy, {wrong['x']}", (wrong["y"], right["y"]))
        for wrong, right in zip(rows[::2], rows[1::2], strict=True)
    )
    changed = _changed(asked[TRAPPED, SIZES[0]]), _changed(asked[MENDED, SIZES[0]])
    spreads = 100 * rows[0]["sd"], 100 * rows[1]["sd"]
    return (
        *accuracies,
        Measured("Spread of the first, ± points", spreads, ".1f"),
        Measured("Answers that change on a second try", changed),
    )


def _changed(answers: Tensor) -> float:
    return (answers[0] != answers[1]).double().mean().item()


def _picture(rows: list[Row]) -> Picture:
    return Picture(
        "points",
        pd.DataFrame(rows),
        "how the test images are fed",
        "test accuracy",
        f"The same weights, tested {TIMES} times on 200 test images. Bars are one standard deviation to each side.",
    )


PITFALL = Pitfall(
    slug="eval",
    title="eval() forgotten",
    story="After training, the network still runs in training mode. Dropout removes half of its features. Batch norm "
    "uses the mean of the current batch.",
    wrong=(answer_as_left,),
    right=(answer_in_eval,),
    symptom="The same weights give different answers each time, and fewer are right. The accuracy depends on the batch "
    "size.",
    why="Dropout and batch norm behave differently in training. `eval()` switches them to evaluation; `no_grad()` "
    "alone does not.",
    notice="Test twice: different answers reveal the problem. Call `network.eval()` at the start of your evaluation "
    "function and `network.train()` at the start of every epoch.",
    fall=fall,
    guessed=(f"test accuracy in batches of {SIZES[0]}", 0),
)
