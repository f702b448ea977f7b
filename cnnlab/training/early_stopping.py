"""Early stopping: the best epoch so far, and when to stop waiting for a better one."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn


class EarlyStopping:
    """The weights of the epoch with the lowest validation loss, and a count of the epochs since.

    ``patience`` is the number of epochs without a lower loss after which training ends; 0 turns early stopping off. The
    count starts over after each of ``restarts``, the epochs after which an extension starts.
    """

    def __init__(self, patience: int, restarts: Sequence[int] = ()) -> None:
        self.patience = patience
        self.restarts = tuple(restarts)
        self.loss = float("inf")
        self.epoch = 0
        self.weights: dict[str, Tensor] = {}

    def watch(self, epoch: int, loss: float, network: nn.Module) -> None:
        """Keep the weights of ``epoch`` where its loss is the lowest so far."""
        if self.patience and loss < self.loss:
            self.loss, self.epoch = loss, epoch
            self.weights = {name: tensor.clone() for name, tensor in network.state_dict().items()}

    def is_over(self, epoch: int) -> bool:
        """Tell whether patience is used up after ``epoch``."""
        restart = max((after for after in self.restarts if after <= epoch), default=0)
        return bool(self.patience) and epoch - max(self.epoch, restart) >= self.patience

    def restore(self, network: nn.Module) -> int:
        """Put the best weights back; return their epoch, 0 where no epoch was watched."""
        if self.epoch:
            network.load_state_dict(self.weights)
        return self.epoch
