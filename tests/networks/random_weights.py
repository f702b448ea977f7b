"""Random weights of which none hides, as norms and factors do that begin as ones and zeros or nearly."""

from __future__ import annotations

import torch
from torch import nn


def shake(network: nn.Module, seed: int = 0) -> None:
    """Draw all of a network's tensors anew, its norms' statistics too, at a scale that images get through."""
    generator = torch.Generator().manual_seed(seed)
    for value in network.state_dict().values():
        if value.numel() > max(value.shape, default=1):
            nn.init.kaiming_normal_(value, generator=generator)
        elif value.is_floating_point():
            value.uniform_(0.5, 1.5, generator=generator)
