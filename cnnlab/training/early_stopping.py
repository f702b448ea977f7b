"""Early stopping: the best epoch so far, and when to wait no longer for a better one."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn


class EarlyStopping:
    """Keeps the weights of the epoch with the lowest validation loss.

    ``patience`` is the number of epochs without a lower loss after which training ends; 0 watches nothing. It is
    counted anew after each of ``restarts``, the epochs after which an extension begins.
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
        """Whether patience has come to its end with ``epoch``."""
        restart = max((after for after in self.restarts if after <= epoch), default=0)
        return bool(self.patience) and epoch - max(self.epoch, restart) >= self.patience

    def restore(self, network: nn.Module) -> int:
        """Put the best weights back; return their epoch, 0 where nothing was watched."""
        if self.epoch:
            network.load_state_dict(self.weights)
        return self.epoch
