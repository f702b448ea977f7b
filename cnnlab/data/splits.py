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
        """The images an index, a mask or a slice chooses."""
        return Split(self.images[chosen], self.labels[chosen])

    def to(self, device: torch.device) -> Split:
        """The same split, resident on ``device``."""
        return Split(self.images.to(device, non_blocking=True), self.labels.to(device, non_blocking=True))


def stratified(labels: Tensor, fraction: float, seed: int) -> Tensor:
    """A mask (N,) that is True for the same share of every class, drawn anew for each seed."""
    generator = torch.Generator().manual_seed(seed)
    mask = torch.zeros(len(labels), dtype=torch.bool)
    for label in labels.unique():
        members = (labels == label).nonzero().flatten()
        order = torch.randperm(len(members), generator=generator)
        mask[members[order[: max(1, round(fraction * len(members)))]]] = True
    return mask


def drawn(split: Split, count: int, seed: int = 0) -> Split:
    """About ``count`` images of a split, the same share of every class at random; all where there are no more.

    Data sets are ordered: MNIST's first 5,000 test images are easier than its last.
    """
    return split if len(split) <= count else split.part(stratified(split.labels, count / len(split), seed))


def fingerprints(images: Tensor) -> npt.NDArray[np.uint64]:
    """64 bits of each image (N, C, H, W) uint8: alike for the same pixels, and else by no chance worth a thought."""
    pixels = images.cpu().contiguous().numpy()
    digests = b"".join(blake2b(image, digest_size=8).digest() for image in pixels)
    return np.frombuffer(digests, np.uint64)
