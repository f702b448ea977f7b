"""Which images a network finds most alike: the nearest by its last features before the logits."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from cnnlab.analysis.activations import BATCH


class FeatureIndex:
    """Labelled images, kept by their features, of which the nearest to others are found.

    The distance is the Euclidean one between features scaled to unit length: 0 in the same direction, √2 at right
    angles or where one has no features at all, 2 in opposite directions. With their lengths left out, images unlike
    all of these are better told by their distance (Sun et al. 2022, arXiv:2204.06507).
    """

    def __init__(self, features: Tensor, labels: Tensor) -> None:
        """Of features (N, F) and labels (N,). Raises ValueError where there are none, or not as many of both."""
        if not len(labels) or len(features) != len(labels):
            raise ValueError(f"{len(features)} features and {len(labels)} labels: as many are needed, one at least")
        self.labels = labels
        self._features = F.normalize(features)

    def __len__(self) -> int:
        return len(self.labels)

    def query(self, features: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """Of the ``count`` nearest to each of ``features`` (Q, F), nearest first: distances and indices, (Q, count).

        Fewer where there are not so many. A distance is right to about 0.0005.
        """
        nearest = [
            (F.normalize(batch) @ self._features.T).topk(min(count, len(self))) for batch in features.split(BATCH)
        ]
        cosines = torch.cat([found.values for found in nearest])
        return (2 - 2 * cosines).clamp_min(0).sqrt(), torch.cat([found.indices for found in nearest])

    def votes(self, indices: Tensor, classes: int) -> Tensor:
        """How many of the images ``indices`` (Q, count) are of each class: (Q, classes)."""
        return F.one_hot(self.labels[indices], classes).sum(1)
