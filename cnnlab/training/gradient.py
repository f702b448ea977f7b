"""The gradient of a batch, added up over parts of it where memory is too short for the whole."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnlab.data.batches import Parting
from cnnlab.training.balance import weight_sum
from cnnlab.training.config import RunConfig
from cnnlab.training.device import Accelerator


class BatchGradient:
    """Adds the gradients of batches to those of the layers that learn.

    At most ``config.images_at_once`` images go through the network together, and only their activations are in memory.
    Each part counts by its share of the batch, so that the sum is the whole batch's gradient, but for two layers: batch
    norm takes mean and variance of a part, and dropout draws part by part.
    """

    def __init__(
        self,
        frozen: nn.Module,
        learning: nn.Module,
        loss: nn.CrossEntropyLoss,
        config: RunConfig,
        accelerator: Accelerator,
        scaler: torch.amp.GradScaler,
        parting: Parting,
    ) -> None:
        self._frozen, self._learning, self._loss = frozen, learning, loss
        self._accelerator, self._scaler, self._parting = accelerator, scaler, parting
        self._at_once = config.images_at_once
        self._is_plain = not config.label_smoothing and config.class_balance != "weights"

    def add(self, inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Add a batch's gradient, and return its loss () and logits (N, classes).

        Targets are labels (N,) or shares of the classes (N, classes). The loss is without smoothing and class weights,
        as validation's is, so that the two can be compared.
        """
        parts = list(zip(self._parting(inputs, self._at_once), self._parting(targets, self._at_once), strict=True))
        if len(parts) == 1:
            return self._add(inputs, targets)
        whole = weight_sum(self._loss, targets)
        done = [self._add(part, aims, weight_sum(self._loss, aims) / whole) for part, aims in parts]
        answers = torch.cat([logits for _, logits in done])
        return F.cross_entropy(answers.float(), targets), answers

    def _add(self, inputs: Tensor, targets: Tensor, share: Tensor | float | None = None) -> tuple[Tensor, Tensor]:
        """Add the gradient of images whose loss counts by ``share``, or whole."""
        with self._accelerator.autocast():
            with torch.no_grad():
                features = self._frozen(inputs)  # (N, C, H, W) → (N, …)
            logits = self._learning(features)  # (N, …) → (N, classes)
            loss = self._loss(logits, targets)
            plain_loss = loss.detach() if self._is_plain else F.cross_entropy(logits.detach(), targets)
        self._scaler.scale(loss if share is None else loss * share).backward()
        return plain_loss, logits.detach()
