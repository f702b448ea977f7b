"""Pitfall: test images not scaled; the network is trained on pixels in 0…1 and tested on 0…255."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from functools import partial

import pandas as pd
import torch
from torch import Tensor, nn

from cnnlab.data.splits import Split
from cnnlab.learn.pitfalls.pictures import MENDED, TRAPPED, Picture, Row, judged
from cnnlab.learn.pitfalls.pitfall import Finding, Measured, Pitfall
from cnnlab.learn.pitfalls.plain_loop import Training, adam, digits, epochs, new_network
from cnnlab.networks.presets import PRESETS

# (images, epochs, learning rate): the fewest that show the effect in about a second each
NETWORKS = {"lenet-5": (1000, 4, 0.003), "quick": (1000, 2, 0.003), "conv2d-tour": (1000, 2, 0.001)}


def judge_as_they_are(network: nn.Module, test: Split) -> Tensor:
    """Compare predictions for unscaled images with the labels: (N,) bool."""
    images = test.images.float()  # 0…255
    logits: Tensor = network(images)
    return logits.argmax(1) == test.labels


def judge_scaled(network: nn.Module, test: Split) -> Tensor:
    """Compare predictions for scaled images with the labels: (N,) bool."""
    images = test.images.float() / 255  # 0…1
    logits: Tensor = network(images)
    return logits.argmax(1) == test.labels


def fall(seed: int) -> Generator[Finding]:
    """Train three networks; test each both ways."""
    data = digits(1000, seed)
    total = sum(count for _, count, _ in NETWORKS.values())
    finding = Finding(0.0)
    rows: list[Row] = []
    done = 0
    for name, (images, count, rate) in NETWORKS.items():
        training = Training(
            data.train.part(slice(images)), count, seed, PRESETS[name], optimizer=partial(adam, rate=rate)
        )
        network = new_network(training)
        for _ in epochs(training, network):
            done += 1
            yield replace(finding, done=done / total)
        rows += _both_ways(network.eval(), data.test, PRESETS[name].title)
        finding = Finding(done / total, _measured(rows), _picture(rows))
    yield finding


def _both_ways(network: nn.Module, test: Split, title: str) -> list[Row]:
    with torch.inference_mode():
        hits = {TRAPPED: judge_as_they_are(network, test), MENDED: judge_scaled(network, test)}
    return [judged(way, title, int(right.sum()), len(test)) for way, right in hits.items()]


def _measured(rows: list[Row]) -> tuple[Measured, ...]:
    pairs = zip(rows[::2], rows[1::2], strict=True)
    return tuple(Measured(f"{wrong['x']}: test accuracy", (wrong["y"], right["y"])) for wrong, right in pairs)


def _picture(rows: list[Row]) -> Picture:
    return Picture(
        "points",
        pd.DataFrame(rows),
        "network",
        "test accuracy",
        "Each network with the same weights, tested both ways on 500 test images. Bars are 95% intervals.",
    )


PITFALL = Pitfall(
    slug="unscaled",
    title="Test images not scaled",
    story="The training images are divided by 255, but not the test images. Nothing fails. The network just gets "
    "images 255 times as bright as its training images.",
    wrong=(judge_as_they_are,),
    right=(judge_scaled,),
    symptom="Training looks good, but the test accuracy is too low. The loss depends on network and seed; if bars "
    "overlap, it may be chance. The Conv2d tour reports 82.59% this way.",
    why="Convolutions and ReLU pass on a factor of 255. But biases, batch norm and tanh learned from small numbers. "
    "Now they have no effect, or saturate.",
    notice="Prepare all splits with one function. Compare the smallest and largest pixel of each before training.",
    fall=fall,
    guessed=("LeNet-5's test accuracy", 0),
)
