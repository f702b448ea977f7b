"""The training loop as tutorials write it, with a hook for each mistake."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Adam, Optimizer
from torch.utils.data import DataLoader, TensorDataset

from cnnlab.data.batches import Standardise
from cnnlab.data.datasets import dataset_spec
from cnnlab.data.loading import Data, load
from cnnlab.data.splits import Split
from cnnlab.evaluation.evaluate import Evaluation, evaluate
from cnnlab.networks.architecture import Architecture
from cnnlab.networks.build import build, seed_dropout
from cnnlab.networks.presets import PRESETS
from cnnlab.training.config import RunConfig
from cnnlab.training.memory import check_memory

UNIT = Standardise((0.0,), (1.0,))  # pixels in 0…1, unchanged

Loader = DataLoader[Any]  # of batches: images (N, 1, H, W) uint8, labels (N,)


def shuffled(data: Split, draw: torch.Generator) -> Loader:
    """Load batches in a new random order each epoch."""
    pairs = TensorDataset(data.images, data.labels)
    return DataLoader(
        pairs,
        batch_size=50,
        shuffle=True,
        generator=draw,
    )


def update(optimizer: Optimizer, loss: Tensor) -> None:
    """Take one step along this batch's gradient."""
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def adam(network: nn.Module, rate: float = 0.003) -> Optimizer:
    """Create Adam with a learning rate that suits most of the small networks here."""
    return Adam(network.parameters(), lr=rate)


@dataclass(frozen=True)
class Training:
    """A plain training; a pitfall changes one part of it."""

    images: Split
    epochs: int
    seed: int  # initial weights, order of the images, dropout
    architecture: Architecture = PRESETS["basic-cnn"]
    loader: Callable[[Split, torch.Generator], Loader] = shuffled
    criterion: Callable[[Tensor, Tensor], Tensor] = F.cross_entropy
    update: Callable[[Optimizer, Tensor], None] = update
    optimizer: Callable[[nn.Module], Optimizer] = adam


@dataclass
class Course:
    """Results of a training so far."""

    epochs: list[list[float]] = field(default_factory=list)  # the training loss of each batch
    train: list[Evaluation] = field(default_factory=list)  # after each epoch
    validation: list[Evaluation] = field(default_factory=list)

    @property
    def losses(self) -> list[float]:
        """Losses of all batches."""
        return [loss for losses in self.epochs for loss in losses]

    @property
    def latest_loss(self) -> float | None:
        """Mean loss over the batches of the latest epoch."""
        return fmean(self.epochs[-1]) if self.epochs else None

    @property
    def accuracy(self) -> float | None:
        """Accuracy on the validation images after the latest epoch."""
        return self.validation[-1].accuracy if self.validation else None

    @property
    def train_accuracy(self) -> float | None:
        """Accuracy on the training images after the latest epoch."""
        return self.train[-1].accuracy if self.train else None


Courses = dict[str, Course]  # by way


def digits(train: int, seed: int, test: int = 500) -> Data:
    """Load the embedded sample with ``train`` of its training and ``test`` of its test images, in random order."""
    data = load("mnist-sample")
    return replace(data, train=_drawn(data.train, train, seed), test=_drawn(data.test, test, seed))


def _drawn(split: Split, count: int, seed: int) -> Split:
    return split.part(torch.randperm(len(split), generator=torch.Generator().manual_seed(seed))[:count])


def new_network(training: Training) -> nn.Module:
    """Build the network for images of 28×28 pixels, untrained. Raises ConfigError where memory is too small."""
    check_memory(RunConfig(architecture=training.architecture), dataset_spec("mnist-sample"))
    network = build(training.architecture, (1, 28, 28), 10, training.seed)
    seed_dropout(network, training.seed, torch.device("cpu"))
    return network


def epochs(training: Training, network: nn.Module) -> Generator[list[float]]:
    """Train ``network`` in place; yield the losses of its batches after each epoch."""
    optimizer = training.optimizer(network)
    loader = training.loader(training.images, torch.Generator().manual_seed(training.seed))
    for _ in range(training.epochs):
        losses = []
        network.train()
        for images, labels in loader:
            logits = network(images.float() / 255)  # (N, 1, 28, 28) → (N, 10)
            loss = training.criterion(logits, labels)
            training.update(optimizer, loss)
            losses.append(loss.item())
        yield losses


def trained(training: Training) -> nn.Module:
    """Train a new network for all epochs and return it."""
    network = new_network(training)
    for _ in epochs(training, network):
        pass
    return network


def in_turn(ways: Mapping[str, Training], validation: Split) -> Generator[tuple[float, Courses]]:
    """Train one way after another; after each epoch yield the fraction done and the courses so far."""
    courses = {name: Course() for name in ways}
    total, done = sum(training.epochs for training in ways.values()), 0
    for name, training in ways.items():
        network, course = new_network(training), courses[name]
        for losses in epochs(training, network):
            course.epochs.append(losses)
            course.train.append(evaluate(network, training.images, UNIT))
            course.validation.append(evaluate(network, validation, UNIT))
            done += 1
            yield done / total, courses
