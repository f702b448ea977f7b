"""Nearest neighbours of an image by a network's last features before the logits."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

BATCH = 100  # images that are compared with all at once


class FeatureIndex:
    """Labelled images by their features, searched for the nearest neighbours.

    The distance is Euclidean between features scaled to unit length: 0 in the same direction, √2 at right angles or
    where one is all zeros, 2 in opposite directions. Without their lengths, distances tell unfamiliar images better
    (Sun et al. 2022, arXiv:2204.06507).
    """

    def __init__(self, features: Tensor, labels: Tensor) -> None:
        """Index features (N, F) with labels (N,). Raises ValueError where there are none, or not as many of both."""
        if not len(labels) or len(features) != len(labels):
            raise ValueError(f"{len(features)} features and {len(labels)} labels: as many are needed, one at least")
        self.labels = labels
        self._features = F.normalize(features)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def features(self) -> Tensor:
        """The images' features scaled to unit length: (N, F)."""
        return self._features

    def query(self, features: Tensor, count: int, label: int | None = None) -> tuple[Tensor, Tensor]:
        """Find the ``count`` nearest to each of ``features`` (Q, F), nearest first: distances and indices, (Q, count).

        With a ``label`` only its images are searched. There are fewer columns where these are fewer. A distance is
        right to about 0.0005.
        """
        rows = torch.arange(len(self)) if label is None else (self.labels == label).nonzero().flatten()
        known = self._features if label is None else self._features[rows]
        nearest = [(F.normalize(batch) @ known.T).topk(min(count, len(known))) for batch in features.split(BATCH)]
        cosines = torch.cat([found.values for found in nearest])
        return (2 - 2 * cosines).clamp_min(0).sqrt(), rows[torch.cat([found.indices for found in nearest])]

    def votes(self, indices: Tensor, classes: int) -> Tensor:
        """Count how many of the images ``indices`` (Q, count) are of each class: (Q, classes)."""
        return F.one_hot(self.labels[indices], classes).sum(1)

    def elected(self, indices: Tensor, classes: int) -> Tensor:
        """Return the class that most of the images ``indices`` (Q, count), nearest first, are of: (Q,).

        Of classes with as many the one whose image is nearest.
        """
        labels = self.labels[indices]
        of_each = self.votes(indices, classes).gather(1, labels)  # (Q, count): the votes for the class of each
        return labels.gather(1, of_each.argmax(1, keepdim=True)).flatten()  # argmax takes the first, the nearest
