"""A network with its scaling of pixels and its softmax inside."""

from __future__ import annotations

from torch import Tensor, nn

from cnnlab.data.batches import Standardise


class Answering(nn.Module):
    """Images (N, C, H, W) uint8 → probabilities (N, classes)."""

    def __init__(self, network: nn.Module, standardise: Standardise) -> None:
        super().__init__()
        self.network = network
        self.standardise = standardise

    def forward(self, pixels: Tensor) -> Tensor:
        logits: Tensor = self.network(self.standardise.inputs(pixels))
        return logits.softmax(1)
