"""A run's figures computed again from its saved weights, as its training computed them."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from functools import cached_property
from math import inf
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cnnlab.data.batches import Standardise, scaling
from cnnlab.data.loading import Data
from cnnlab.data.splits import Split
from cnnlab.evaluation.evaluate import Evaluation, affordable_batch, evaluate
from cnnlab.networks.build import build, parted
from cnnlab.training.device import Accelerator, compute_exactly
from cnnlab.training.features import Source, feature_work
from cnnlab.training.run_data import frozen_layers, layers_of
from cnnlab.verification.claims import Claims
from cnnlab.verification.difference import compare
from cnnlab.verification.report import Progress


class Judge:
    """The run's network on the device of its training, and the images that it was judged by.

    Features of frozen layers are computed afresh and kept in the folder ``features_in``.
    """

    def __init__(self, claims: Claims, data: Data, features_in: Path) -> None:
        config, spec = claims.config, data.spec
        self.claims, self.data = claims, data
        self.accelerator = Accelerator.of(config)
        device = self.accelerator.device
        compute_exactly(device)
        self.network = self.accelerator.place(build(config.architecture, spec.shape, len(spec.classes), config.seed))
        self._frozen, self._learning = parted(self.network, config.learn_from)
        self._rows = layers_of(config, spec)
        self._standardise = Standardise(*scaling(spec, config.normalise), device)
        self._features_in = features_in

    def description(self) -> dict[str, object]:
        """Return what a summary says of the run's data and network."""
        spec = self.data.spec
        mean, std = scaling(spec, self.claims.config.normalise)
        return {
            "classes": spec.classes,
            "shape": spec.shape,
            "mean": tuple(mean),
            "std": tuple(std),
            "parameters": sum(parameter.numel() for parameter in self.network.parameters()),
            "device": str(self.accelerator.device),
            "precision": str(self.accelerator.precision).removeprefix("torch."),
        }

    def validation(self, weights: Mapping[str, Tensor]) -> Evaluation:
        """Evaluate weights on the validation images, by their features where the training kept these."""
        self.network.load_state_dict(weights)
        return self._judged(self._learning if self.claims.config.keeps_features else self.network, self._validation)

    def test(self, weights: Mapping[str, Tensor]) -> Evaluation:
        """Evaluate weights on the test images."""
        self.network.load_state_dict(weights)
        return self._judged(self.network, self.data.test.to(self.accelerator.device))

    def _judged(self, network: nn.Module, split: Split) -> Evaluation:
        return evaluate(network, split, self._standardise, affordable_batch(self._rows))

    @cached_property
    def _validation(self) -> Split:
        split = self.data.validation
        if self.claims.config.keeps_features:
            rows = frozen_layers(self.claims.config, self.data.spec)
            sources = [Source(split)]
            work = feature_work(self._frozen, rows, self._standardise, self.accelerator, sources, self._features_in)
            for _ in work:
                pass
            (split,) = work.splits()
        return split.to(self.accelerator.device)


def check_description(claims: Claims, judge: Judge) -> None:
    """Raise DiffersError where the summary describes other data or another network than the settings do."""
    for name, found in judge.description().items():
        compare(0, name, getattr(claims.summary, name), found)


def judge_epochs(claims: Claims, judge: Judge) -> Generator[Progress, None, tuple[int, ...]]:
    """Compare the validation figures of each epoch whose weights are saved; return which. Raises DiffersError."""
    epochs = [epoch for epoch in claims.saved if 1 <= epoch <= claims.last]
    for done, epoch in enumerate(epochs):
        yield Progress("epochs judged", done, len(epochs))
        row = claims.epochs[epoch - 1]
        torch.set_num_threads(claims.threads_at(row.step))
        found = judge.validation(claims.weights(epoch))
        compare(epoch, "validation_loss", row.validation_loss, found.loss)
        compare(epoch, "validation_accuracy", row.validation_accuracy, found.accuracy)
        compare(epoch, "per_class", row.per_class, found.per_class)
    return tuple(epochs)


def check_test(claims: Claims, judge: Judge, weights: Mapping[str, Tensor] | None = None) -> None:
    """Compare the summary's figures of the tested epoch, by its saved weights unless others are given.

    Raises DiffersError where one is not equal, or a run that ended has none.
    """
    summary, epoch = claims.summary, claims.summary.epoch
    if summary.test_accuracy is None:
        if claims.has_ended and claims.last:
            compare(claims.last, "test_accuracy", None, "tested when it ended")
        return
    compare(epoch, "tested epoch", epoch, max(epoch, 1))
    row = claims.epochs[epoch - 1]
    torch.set_num_threads(claims.threads_at(inf if claims.has_ended else row.step))
    found = judge.test(claims.weights(epoch) if weights is None else weights)
    for figure, value in _test_figures(found, summary.classes).items():
        told = getattr(summary, figure)
        if not (figure == "macro_f1" and told is None):  # older runs have none
            compare(epoch, figure, told, value)
    compare(epoch, "validation_accuracy of the summary", summary.validation_accuracy, row.validation_accuracy)


def _test_figures(found: Evaluation, classes: tuple[str, ...]) -> dict[str, Any]:
    return {
        "test_accuracy": found.accuracy,
        "test_loss": found.loss,
        "per_class": dict(zip(classes, found.per_class, strict=True)),
        "support": dict(zip(classes, found.support, strict=True)),
        "macro_f1": found.macro_f1,
    }
