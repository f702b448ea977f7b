"""The images a network finds most alike: nearest in its feature space."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Neighbours:
    """Features (N, F) to look among, and the images' labels (N,).

    Distances are between features of length 1, from 0 to 2: their direction tells a class, their length only how
    strongly the image is inked.
    """

    features: Tensor
    labels: Tensor

    def query(self, features: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """Of each of ``features`` (Q, F) the ``count`` nearest, nearest first: distances, numbers (Q, count)."""
        distances = torch.cdist(_unit(features), _unit(self.features))
        nearest = distances.topk(min(count, len(self.features)), largest=False)
        return nearest.values, nearest.indices


def _unit(features: Tensor) -> Tensor:
    return features / features.norm(dim=1, keepdim=True).clamp_min(1e-6)
