"""Loss, accuracy and logits of a network in evaluation mode."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnlab.data.batches import Standardise, batches
from cnnlab.data.splits import Split
from cnnlab.evaluation.balance import balanced_accuracy, f1_scores, macro_f1
from cnnlab.networks.architecture import LayerSummary

EVALUATION_BATCH = 1000  # images at the most
EVALUATION_NUMBERS = 2_000_000  # in a batch's images at the most: 13 colour images of 224×224
EVALUATION_BYTES = 500_000_000  # of the maps of all images that are evaluated together


@dataclass(frozen=True)
class Evaluation:
    """Loss and accuracy of a network on a split."""

    loss: float  # mean cross-entropy
    accuracy: float  # fraction
    per_class: tuple[float, ...]  # accuracy of each class; 0 where a class has no image
    support: tuple[int, ...]  # images of each class
    f1: tuple[float, ...]  # of each class

    @property
    def balanced_accuracy(self) -> float:
        """The mean accuracy of the classes that occur."""
        return balanced_accuracy(self.per_class, self.support)

    @property
    def macro_f1(self) -> float:
        """The mean F1 of the classes that occur."""
        return macro_f1(self.f1, self.support)


def evaluate(network: nn.Module, split: Split, standardise: Standardise, at_once: int = EVALUATION_BATCH) -> Evaluation:
    """Measure loss and accuracy in evaluation mode; the network's mode is restored.

    The split lies on the network's device. At most ``at_once`` images go through the network together.
    """
    classes = 0
    losses: list[Tensor] = []
    labelled: list[Tensor] = []
    named: list[Tensor] = []
    for logits, labels in _logits(network, split, standardise, at_once):
        classes = logits.shape[1]
        losses.append(F.cross_entropy(logits, labels, reduction="sum"))
        labelled.append(labels)
        named.append(logits.argmax(1))
    # Plain numbers from here on: shares need 64 bits, which not every device has.
    truth, answers = torch.cat(labelled), torch.cat(named)
    support, taken, correct = (
        found.bincount(minlength=classes).tolist() for found in (truth, answers, truth[truth == answers])
    )
    return Evaluation(
        loss=torch.stack(losses).sum().item() / len(split),
        accuracy=sum(correct) / len(split),
        per_class=tuple(right / max(images, 1) for right, images in zip(correct, support, strict=True)),
        support=tuple(support),
        f1=f1_scores(correct, support, taken),
    )


def predict(
    network: nn.Module, images: Tensor | Split, standardise: Standardise, at_once: int = EVALUATION_BATCH
) -> Tensor:
    """Compute logits (N, classes) for uint8 images (N, C, H, W), in evaluation mode."""
    if isinstance(images, Tensor):
        images = Split(images, torch.zeros(len(images), dtype=torch.long, device=images.device))
    return torch.cat([logits for logits, _ in _logits(network, images, standardise, at_once)])


def evaluation_batch(shape: Sequence[int]) -> int:
    """Return how many images of ``shape`` = (C, H, W) go through a network at once for evaluation."""
    return max(1, min(EVALUATION_BATCH, EVALUATION_NUMBERS // prod(shape)))


def affordable_batch(layers: Sequence[LayerSummary]) -> int:
    """Return how many images go through a network at once, so that its maps do not take all memory."""
    return max(1, min(EVALUATION_BATCH, EVALUATION_BYTES // max(layer.peak_bytes for layer in layers)))


def _logits(
    network: nn.Module, split: Split, standardise: Standardise, at_once: int
) -> Iterator[tuple[Tensor, Tensor]]:
    was_training = network.training
    network.eval()
    try:
        for images, labels in batches(split, min(at_once, evaluation_batch(split.shape))):
            with torch.inference_mode():
                logits = network(standardise.inputs(images))  # (N, classes)
            yield logits, labels
    finally:
        network.train(was_training)
