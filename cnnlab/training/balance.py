"""Training on classes of unequal size: weights of classes in the loss, or a sample with all classes alike."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cnnlab.training.config import RunConfig


def loss_function(config: RunConfig, labels: Tensor, classes: int) -> nn.CrossEntropyLoss:
    """Make the cross-entropy of a training on ``labels`` (N,), with label smoothing and class weights as set.

    With weights PyTorch divides a batch's loss by the sum of its images' weights; for mixed labels by their number.
    """
    weights = class_weights(labels, classes) if config.class_balance == "weights" else None
    return nn.CrossEntropyLoss(weights, label_smoothing=config.label_smoothing)


def weight_sum(loss: nn.CrossEntropyLoss, targets: Tensor) -> Tensor | int:
    """Return what ``loss`` divides its sum over images by: the sum of their weights, or their number.

    Targets are labels (N,) or, where labels are mixed, shares of the classes (N, classes).
    """
    return len(targets) if loss.weight is None or targets.dim() == 2 else loss.weight[targets].sum()


def class_weights(labels: Tensor, classes: int) -> Tensor:
    """Weight the classes by labels (N,) so that each adds as much to the loss: (classes,) float32.

    A class of n images has the weight N / (K · n), K being the number of classes that occur: inverse to its size, with
    a mean of 1 over the N images. A class without images has the weight 0.
    """
    counts = labels.bincount(minlength=classes).float()
    weights = len(labels) / (counts.count_nonzero() * counts)
    return torch.where(counts > 0, weights, 0)


def balanced_sample(labels: Tensor, draws: torch.Generator) -> Tensor:
    """Sample as many images as there are, each class equally likely, with replacement: indices (N,)."""
    counts = labels.bincount().float()
    return torch.multinomial(1 / counts[labels], len(labels), replacement=True, generator=draws)
