"""Images with their labels, and stratified parts of them."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


@dataclass(frozen=True)
class Split:
    """Images (N, C, H, W) uint8 and labels (N,) int64."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def part(self, chosen: Tensor | slice) -> Split:
        """Select images by an index, a mask or a slice."""
        return Split(self.images[chosen], self.labels[chosen])

    def to(self, device: torch.device) -> Split:
        """Copy the split to ``device``, unless it is there."""
        return Split(self.images.to(device, non_blocking=True), self.labels.to(device, non_blocking=True))


def stratified(labels: Tensor, fraction: float, seed: int) -> Tensor:
    """Choose the same share of every class at random: a mask (N,), another for each seed."""
    generator = torch.Generator().manual_seed(seed)
    mask = torch.zeros(len(labels), dtype=torch.bool)
    for label in labels.unique():
        members = (labels == label).nonzero().flatten()
        order = torch.randperm(len(members), generator=generator)
        mask[members[order[: max(1, round(fraction * len(members)))]]] = True
    return mask


def sampled(split: Split, count: int, seed: int = 0) -> Split:
    """Sample about ``count`` images of a split, the same share of every class; all where there are no more.

    Data sets are ordered: MNIST's first 5,000 test images are easier than its last.
    """
    return split if len(split) <= count else split.part(stratified(split.labels, count / len(split), seed))


def fingerprints(images: Tensor) -> npt.NDArray[np.uint64]:
    """Hash each image of (N, C, H, W) uint8 to 64 bits: equal for equal pixels, and practically never otherwise."""
    pixels = images.cpu().contiguous().numpy()
    digests = b"".join(blake2b(image, digest_size=8).digest() for image in pixels)
    return np.frombuffer(digests, np.uint64)
