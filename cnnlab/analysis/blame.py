"""Blame: the training images that made a network misread an image.

TracIn (Pruthi et al. 2020, arXiv:2002.08484) adds up, over checkpoints, how far a step on a training image moved the
loss of another image. Here it is the margin of the wrong class over the right one, by the weights of the last linear
layer: learning rate × (h·A⁻¹h′) × (e[right] − e[wrong]), with h and h′ the features of both images before that layer
and a 1 for the bias, and e the training image's softmax minus its target. We depart from the paper by A, the mean of
hhᵀ over the training images, damped: without it, features that all images share decide (Park et al. 2023,
arXiv:2303.14186).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

import torch
import torch.nn.functional as F
from torch import Tensor

from cnnlab.analysis.activations import logits_and_features
from cnnlab.data.loading import divided, load_train
from cnnlab.data.splits import Split, evenly
from cnnlab.errors import CnnLabError
from cnnlab.evaluation.evaluate import evaluation_batch
from cnnlab.jobs.worker import Part
from cnnlab.runs.run import Run
from cnnlab.runs.trained import Trained, load_trained
from cnnlab.training.config import RunConfig, parse_config
from cnnlab.training.history import History

COUNT = 10  # images that are blamed
CHECKPOINTS = 6  # at the most: what a training of six epochs was measured with
AT_ONCE = 250  # images in a pass: their maps stay near the processor
KEPT_NUMBERS = 60_000_000  # of all features, at the most: 120 MB
MOST_FEATURES = 4096  # of the last layer: a matrix of their products takes 67 MB
DAMPING = 1.0  # of the features' mean square


class BlameError(CnnLabError):
    """A network or an image that no training image can be blamed for; the message says why."""


@dataclass(frozen=True)
class Blamed:
    """A training image that spoke for the wrong answer."""

    position: int  # among those that were searched
    index: int  # in the data set's order, as a config's ``excluded`` counts
    score: float  # how far it moved the margin, in no unit; above 0


@dataclass(frozen=True)
class _Traced:
    """The training images at a checkpoint: features (N, F) with a 1, in 16 bits, errors (N, classes), both before."""

    trained: Trained
    weight: float  # learning rate × epochs since the checkpoint before
    features: Tensor
    errors: Tensor  # softmax minus target
    factor: Tensor  # (F, F): Cholesky's, of the damped mean of the features' outer products

    def scores(self, pixels: Tensor, right: int, wrong: int) -> Tensor:
        """Compute how far each image moved the margin of ``wrong`` over ``right`` in an image: (N,)."""
        _, features = _with_one(*logits_and_features(self.trained.network, self.trained.inputs(pixels)))
        alike: Tensor = self.features.float() @ torch.cholesky_solve(features.T, self.factor)[:, 0]
        moved: Tensor = self.weight * alike * (self.errors[:, right] - self.errors[:, wrong])
        return moved


@dataclass(frozen=True)
class Influence:
    """The training images of a run, and what they taught it at some of its checkpoints."""

    split: Split
    indices: Tensor  # (N,) of these images in the data set's order
    trained_on: int  # images; more than N where only some are searched
    checkpoints: tuple[_Traced, ...]

    def blamed(self, pixels: Tensor, right: int, count: int = COUNT) -> list[Blamed]:
        """List up to ``count`` images that did most for the wrong answer to an image (1, C, H, W), the worst first.

        Raises BlameError where the network answers ``right``.
        """
        wrong = self.answer(pixels)
        if wrong == right:
            raise BlameError("the network reads this image right: choose one that it misreads")
        scores = torch.stack([one.scores(pixels, right, wrong) for one in self.checkpoints]).sum(0)
        best = scores.topk(min(count, len(scores)))
        return [
            Blamed(position, int(self.indices[position]), score)
            for position, score in zip(best.indices.tolist(), best.values.tolist(), strict=True)
            if score > 0
        ]

    def answer(self, pixels: Tensor) -> int:
        """Return the class that the network names after the last of the checkpoints."""
        return int(self.checkpoints[-1].trained.logits(pixels).argmax())


def influence(run: Run, epoch: int | None = None) -> Generator[Part[Influence]]:
    """Trace what each training image taught a run until ``epoch``, by default the tested one.

    Of more images than memory holds, evenly chosen ones are searched. Raises BlameError where no training of ours was
    kept, or the last layer has too many inputs; otherwise as ``load_trained`` and ``load_train``.
    """
    epochs = _checkpoints(run, run.judged_epoch if epoch is None else epoch)
    config, whole = run.config, load_train(run.config.dataset)
    rows = trained_rows(config, whole)
    sizes = [len(rows), _features(load_trained(run, epochs[-1])) + 1]
    epochs = _spread(epochs, max(1, min(CHECKPOINTS, KEPT_NUMBERS // (sizes[0] * sizes[1]))))
    chosen = rows[evenly(len(rows), KEPT_NUMBERS // (len(epochs) * sizes[1]))]
    split = whole.part(chosen)
    traced: list[_Traced] = []
    for at, weight in zip(epochs, _weights(run.history(), epochs), strict=True):
        for part in _trace(load_trained(run, at), weight, split, config.label_smoothing):
            if part.result:
                traced.append(part.result)
            yield Part((len(traced) + part.done * (part.result is None)) / len(epochs))
    yield Part(1.0, Influence(split, chosen, len(rows), tuple(traced)))


def trained_rows(config: RunConfig, whole: Split) -> Tensor:
    """Return the indices, in the data set's order, of the images that a config trains on."""
    return divided(whole, config.validation_fraction, config.held_out_by, config.train_fraction, config.left_out)[0]


def without(config: RunConfig, blamed: Sequence[Blamed]) -> RunConfig:
    """Return the config that trains again, with the same seed, without the images blamed.

    Raises BlameError for a run that started from another's weights or was taught drawings, ConfigError where too many
    are left out.
    """
    if config.comes_from:
        raise BlameError("this run started from another run's weights, which these images may have taught too")
    if config.lessons:
        raise BlameError("this run was also taught drawings, which were not searched")
    indices = [*config.left_out, *(one.index for one in blamed)]
    return parse_config(dict(config) | {"excluded": ",".join(map(str, indices))})


def check_traceable(run: Run, trained: Trained) -> None:
    """Raise BlameError where no training image can be blamed for what a network of the run answers."""
    _checkpoints(run, trained.epoch)
    _features(trained)


def _checkpoints(run: Run, epoch: int) -> list[int]:
    """List the kept epochs of the training up to ``epoch``. Raises BlameError where there are none."""
    if not run.history().was_trained:
        raise BlameError("this network was trained elsewhere: what its images taught it is not known")
    kept = [one for one in run.epochs() if 0 < one <= epoch]
    if not kept:
        raise BlameError("before the first epoch no image has taught it anything: choose a later one")
    return kept


def _features(trained: Trained) -> int:
    """Return how many inputs the last layer has. Raises BlameError where they are too many."""
    blank = torch.zeros((1, *trained.shape), dtype=torch.uint8)
    _, features = logits_and_features(trained.network, trained.inputs(blank))
    if features.shape[1] > MOST_FEATURES:
        raise BlameError(
            f"the last layer has {features.shape[1]:,} inputs, more than {MOST_FEATURES:,}: pool the maps before it"
        )
    return features.shape[1]


def _spread(epochs: Sequence[int], count: int) -> list[int]:
    """Choose up to ``count`` epochs, evenly spaced, the last among them."""
    return [epochs[-1 - int(at)] for at in evenly(len(epochs), count)][::-1]


def _weights(history: History, epochs: Sequence[int]) -> list[float]:
    """Return for each checkpoint the mean learning rate since the one before, times the epochs in between."""
    weights = []
    for before, epoch in pairwise([0, *epochs]):
        rates = [row["learning_rate"] for row in history.epochs if before < row["epoch"] <= epoch]
        steps = [row["learning_rate"] for row in history.steps if before < row["epoch"] <= epoch]
        weights.append(fmean(steps or rates or [0.0]) * (epoch - before))
    return weights if any(weights) else [1.0] * len(epochs)


def _trace(trained: Trained, weight: float, split: Split, smoothing: float) -> Iterator[Part[_Traced]]:
    """Pass the training images through the network of a checkpoint."""
    logits, kept, products = [], [], torch.zeros(())
    for images in split.split(min(AT_ONCE, trained.at_once, evaluation_batch(split.shape))):
        answers, features = _with_one(*logits_and_features(trained.network, trained.inputs(images)))
        products = torch.addmm(products, features.T, features, alpha=1 / len(split))
        logits.append(answers)
        kept.append(features.bfloat16())
        yield Part(sum(map(len, kept)) / len(split))
    errors = torch.cat(logits).softmax(1)
    classes = errors.shape[1]
    errors -= F.one_hot(split.labels, classes) * (1 - smoothing) + smoothing / classes
    products.diagonal().add_(DAMPING * products.diagonal().mean())
    factor = torch.linalg.cholesky(products)
    yield Part(1.0, _Traced(trained, weight, torch.cat(kept), errors, factor))


def _with_one(logits: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
    """Append a 1 to each image's features, for the bias."""
    return logits, F.pad(features, (0, 1), value=1.0)
