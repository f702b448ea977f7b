"""A training as its doctor sees it: its settings, data, history and probes, up to an epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log
from statistics import median

from cnnlab.diagnosis.facts import DataFacts
from cnnlab.diagnosis.probe import LayerProbe, Probe
from cnnlab.networks.architecture import LayerSummary, summarise
from cnnlab.networks.layers import Shape
from cnnlab.training.config import RunConfig
from cnnlab.training.history import History, Record

STUCK = 0.6  # of the loss of guessing: a training above it has hardly begun to learn


@dataclass(frozen=True)
class Case:
    """A training up to its last complete epoch."""

    config: RunConfig
    shape: Shape  # (C, H, W) of its images
    classes: tuple[str, ...]
    facts: DataFacts
    history: History
    probes: Sequence[Probe]  # the first before training
    failure: str = ""  # the message of a training that could not continue

    @property
    def epochs(self) -> list[Record]:
        """The complete epochs."""
        return self.history.epochs

    @property
    def first(self) -> Probe:
        """The probe of the first weights."""
        return self.probes[0]

    @property
    def latest(self) -> Probe:
        """The probe of the latest weights."""
        return self.probes[-1]

    @property
    def guessing(self) -> float:
        """The loss of a network that gives all classes the same probability."""
        return log(len(self.classes))

    @property
    def is_stuck(self) -> bool:
        """Whether the training failed, or is little better than guessing; a mean over an epoch hides how it ended."""
        if self.failure or not self.epochs:
            return bool(self.failure)
        last = self.epochs[-1]
        train, validation = last["train_loss"], last["validation_loss"]
        return bool(min(train, validation) > STUCK * self.guessing or validation > self.guessing)

    @cached_property
    def rows(self) -> list[LayerSummary]:
        """The network's layers, those of blocks included."""
        return summarise(self.config.architecture, self.shape, len(self.classes))

    def step_share(self, rate: float) -> float:
        """Estimate by what share of its weights a layer moves in a first step with ``rate``: the median layer.

        Adam's and RMSprop's steps are about as large as the rate, whatever the gradient; SGD's are the gradient's
        multiples, which momentum adds up.
        """
        momentum = 1 / (1 - self.config.momentum)

        def step(layer: LayerProbe) -> float:
            return rate * layer.gradient * momentum if self.config.optimizer == "sgd" else rate

        return median([step(layer) / layer.weight for layer in self.first.layers if layer.weight] or [0.0])
