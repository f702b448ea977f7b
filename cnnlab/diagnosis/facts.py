"""Facts about training images that no training is needed for: how many of each class, how far neighbours agree."""

from __future__ import annotations

from typing import Self

import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict
from torch import Tensor

from cnnlab.data.splits import Split

COMPARED = 1_000  # images whose nearest neighbour is looked up
AMONG = 4_000  # images it is looked up in
SIDE = 14  # pixels: larger images are averaged down to it, so that pictures of any size compare in a tenth of a second
READ_AT_ONCE = 256  # images


class DataFacts(BaseModel):
    """Facts about training images."""

    model_config = ConfigDict(frozen=True)

    counts: tuple[int, ...]  # images of each class
    agreement: float  # share of images whose nearest neighbour, by pixels, has the same label
    chance: float  # the agreement of labels that have nothing to do with the images
    compared: int

    @classmethod
    def of(cls, train: Split, classes: int) -> Self:
        """Look at up to AMONG training images; the same images give the same facts."""
        chosen = torch.randperm(len(train), generator=torch.Generator().manual_seed(0))[:AMONG]
        pixels = torch.cat([_small(train.take(some)) for some in chosen.split(READ_AT_ONCE)])  # (N, D)
        labels = train.labels[chosen]
        shares = labels.bincount(minlength=classes) / len(labels)
        agreeing = _nearest_labels(pixels, labels) == labels[:COMPARED]
        return cls(
            counts=tuple(train.labels.bincount(minlength=classes).tolist()),
            agreement=agreeing.float().mean().item(),
            chance=shares.square().sum().item(),
            compared=len(agreeing),
        )

    @property
    def kappa(self) -> float:
        """The agreement beyond chance: 0 where labels have nothing to do with the images, 1 where all agree."""
        return (self.agreement - self.chance) / (1 - self.chance) if self.chance < 1 else 1.0


def _small(images: Tensor) -> Tensor:
    """Average images down to SIDE: (N, C, H, W) uint8 → (N, D), D at most C·SIDE²."""
    height, width = images.shape[2:]
    return F.adaptive_avg_pool2d(images.float() / 255, (min(height, SIDE), min(width, SIDE))).flatten(1)


def _nearest_labels(pixels: Tensor, labels: Tensor) -> Tensor:
    """Return the label of the nearest other image, for the first COMPARED images: (N, D), (N,) → (C,)."""
    distances = torch.cdist(pixels[:COMPARED], pixels)
    distances[torch.arange(len(distances)), torch.arange(len(distances))] = torch.inf
    return labels[distances.argmin(1)]
