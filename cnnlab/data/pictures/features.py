"""Describe pictures by numbers that say what they show, without a trained network: patches, whitened and clustered.

After Coates, Ng and Lee 2011, "An Analysis of Single-Layer Networks in Unsupervised Feature Learning".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

SIDE = 32  # pixels that a picture is scaled to
PATCH = 6  # pixels a side
STRIDE = 2
CENTROIDS = 64  # of patches; each gives two features, for likeness and its opposite
REGIONS = 2  # a side: features are means over each quarter of the picture
FEATURES = 2 * CENTROIDS * REGIONS**2
LEARNED_FROM = 5_000  # images, at the most
PATCHES = 20_000  # that centroids are found from
ROUNDS = 10  # of k-means
CONTRAST = 10 / 255**2  # added to a patch's variance: faint noise is not made into a pattern
EPSILON = 0.1  # added to the variances that whitening divides by
THRESHOLD = 0.5  # a likeness below it counts as none
THUMBNAIL = 8  # pixels a side
BATCH = 128  # pictures at once

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Halves = npt.NDArray[np.float16]  # as features are stored
Integers = npt.NDArray[np.int64]


class Images(Protocol):
    """Images (N, C, H, W) uint8: an array, or a part of one."""

    def __len__(self) -> int: ...

    def __getitem__(self, at: Any, /) -> Pixels: ...


class Part:
    """Rows of an array of images, copied only where they are looked at."""

    def __init__(self, images: Images, rows: Integers) -> None:
        self._images, self._rows = images, rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, at: int | slice) -> Pixels:
        found: Pixels = self._images[self._rows[at]]
        return found


class PatchFeatures:
    """A way to describe images, learned from some: which patches they consist of, and how usual each is."""

    def __init__(self, images: Images, seed: int = 0) -> None:
        """Learn from images; the same for the same seed."""
        generator = torch.Generator().manual_seed(seed)
        some = Part(images, np.arange(0, len(images), -(-len(images) // LEARNED_FROM)))
        small = torch.cat(list(_scaled(some, SIDE)))  # (N, C, 32, 32)
        chosen = _sample(small, generator)
        self._centre = chosen.mean(0)
        variances, axes = torch.linalg.eigh(torch.cov(chosen.T))
        self._whiten = axes @ torch.diag((variances.clamp_min(0) + EPSILON).rsqrt()) @ axes.T
        self._centroids = _clustered((chosen - self._centre) @ self._whiten, generator)
        known = torch.cat([self._counted(batch) for batch in small.split(BATCH)])
        self._mean, self._deviation = known.mean(0), known.std(0, unbiased=False) + 1e-3

    def describe(self, images: Images) -> Floats:
        """Describe images by (N, FEATURES) numbers, standardised over those it learned from."""
        found = [self._counted(batch).sub_(self._mean).div_(self._deviation) for batch in _scaled(images, SIDE)]
        return torch.cat(found).numpy()

    def _counted(self, batch: Tensor) -> Tensor:
        patches = _even(F.unfold(batch, PATCH, stride=STRIDE).transpose(1, 2))  # (B, places, C·6·6)
        likeness = (patches - self._centre) @ self._whiten @ self._centroids.T  # (B, places, centroids)
        both = torch.cat([F.relu(likeness - THRESHOLD), F.relu(-likeness - THRESHOLD)], 2)
        across = int(both.shape[1] ** 0.5)
        maps = both.transpose(1, 2).unflatten(2, (across, across))  # (B, 2·centroids, places, places)
        return F.adaptive_avg_pool2d(maps, REGIONS).flatten(1)


def thumbnails(images: Images) -> Floats:
    """Shrink images to (N, C·8·8) of mean 0 and length 1: their products are correlations. Plain images are zeros."""
    small = torch.cat(list(_scaled(images, THUMBNAIL))).flatten(1)
    return F.normalize(small - small.mean(1, keepdim=True), eps=1e-3).numpy()


def tones(images: Images) -> Floats:
    """Compute mean and deviation of each channel of images: (N, 2·C), standardised over the images."""
    parts = (batch.flatten(2) for batch in _scaled(images, SIDE))  # (B, C, 32·32)
    found = torch.cat([torch.cat([part.mean(2), part.std(2)], 1) for part in parts])
    return ((found - found.mean(0)) / (found.std(0, unbiased=False) + 1e-3)).numpy()


def _scaled(images: Images, side: int) -> Iterator[Tensor]:
    """Yield batches (B, C, side, side) of pixels in 0…1."""
    for start in range(0, len(images), BATCH):
        batch = torch.from_numpy(np.array(images[start : start + BATCH])).float().div_(255)
        yield F.interpolate(batch, (side, side), mode="area")


def _sample(images: Tensor, generator: torch.Generator) -> Tensor:
    """Cut patches (PATCHES, C·6·6) from random places of random images."""
    count, _, height, width = images.shape
    cut = images.unfold(2, PATCH, 1).unfold(3, PATCH, 1)  # (N, C, H−5, W−5, 6, 6), a view
    limits = (count, height - PATCH + 1, width - PATCH + 1)
    number, top, left = (torch.randint(limit, (PATCHES,), generator=generator) for limit in limits)
    return _even(cut[number, :, top, left].flatten(1))


def _even(patches: Tensor) -> Tensor:
    """Bring each patch to mean 0 and about the same contrast."""
    variance, mean = torch.var_mean(patches, -1, keepdim=True)
    return (patches - mean) / (variance + CONTRAST).sqrt()


def _clustered(patches: Tensor, generator: torch.Generator) -> Tensor:
    """Find centroids (CENTROIDS, D) of length 1 by spherical k-means; one that is nearest to no patch stays."""
    centroids = F.normalize(torch.randn(CENTROIDS, patches.shape[1], generator=generator))
    for _ in range(ROUNDS):
        nearest = (patches @ centroids.T).argmax(1)
        sums = torch.zeros_like(centroids).index_add_(0, nearest, patches)
        centroids = torch.where(sums.norm(dim=1, keepdim=True) > 0, F.normalize(sums), centroids)
    return centroids
