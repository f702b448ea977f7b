"""Images with their labels, and stratified and grouped parts of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from math import inf, prod

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from cnnlab.data.mapping import MappedRows
from cnnlab.networks.layers import Shape

HASHED_AT_ONCE = 256  # images
FEW = 8  # images


@dataclass(frozen=True)
class Split:
    """Images (N, C, H, W) uint8, or features float16 of any shape, and labels (N,) int64.

    Of a memory-mapped data set it is rows of all its ``pixels``, read from the file when they are asked for. Images are
    handed out on the device of the labels; the pixels may lie elsewhere.
    """

    pixels: Tensor  # (M, C, H, W)
    labels: Tensor
    rows: Tensor | None = None  # (N,) of the pixels; None: all
    groups: Tensor | None = None  # (N,) of pictures that belong on one side of a split; None: each by itself
    mapped: MappedRows | None = None  # whose rows the pixels are; None: they are in memory

    @property
    def images(self) -> Tensor:
        """The images in order, copied where they are mapped, or do not lie in a row among the pixels."""
        if self.mapped and self.rows is not None:
            return self._handed_out(self.mapped.read(self.rows))
        return self._handed_out(self.pixels if self.rows is None else self.pixels[_in_a_row(self.rows)])

    @property
    def shape(self) -> Shape:
        """The shape (C, H, W) of an image."""
        return tuple(self.pixels.shape[1:])

    def __len__(self) -> int:
        return len(self.labels)

    def image(self, number: int) -> Tensor:
        """Copy one image (C, H, W): pickled, a view would take all pixels along."""
        return self._handed_out(self.pixels[number if self.rows is None else self.rows[number]].clone())

    def split(self, size: int) -> Iterator[Tensor]:
        """Yield the images ``size`` at a time, as a tensor's ``split`` does, so that only these are copied."""
        yield from (part.images for part in self.parts(size))

    def parts(self, size: int) -> Iterator[Split]:
        """Yield the split ``size`` images at a time; what comes next is read from disk in the meantime."""
        for start in range(0, len(self), size):
            self.foresee(slice(start + size, start + 2 * size))
            yield self.part(slice(start, start + size))

    def part(self, chosen: Tensor | slice) -> Split:
        """Select images by an index, a mask or a slice, without copying them."""
        groups = None if self.groups is None else self.groups[chosen]
        if isinstance(chosen, slice) and self.rows is None:
            return Split(self.pixels[chosen], self.labels[chosen], None, groups)
        rows = torch.arange(len(self.pixels), device=self.pixels.device) if self.rows is None else self.rows
        at = chosen if isinstance(chosen, slice) else chosen.to(rows.device)
        return Split(self.pixels, self.labels[chosen], rows[at], groups, self.mapped)

    def take(self, chosen: Tensor) -> Tensor:
        """Copy the images of an index (B,) as a batch (B, C, H, W)."""
        at = chosen.to(self.pixels.device)
        rows = at if self.rows is None else self.rows.index_select(0, at)
        return self._handed_out(self.mapped.read(rows) if self.mapped else self.pixels.index_select(0, rows))

    def foresee(self, chosen: Tensor | slice) -> None:
        """Have images of an index or a slice, which are asked for next, be read from disk in the meantime."""
        if self.mapped and (rows := self.part(chosen).rows) is not None:
            self.mapped.foresee(rows)

    def to(self, device: torch.device, room: float = inf) -> Split:
        """Copy the split to ``device``; images of more than ``room`` bytes stay here and are copied batch by batch."""
        if self.labels.device == device:
            return self
        labels = self.labels.to(device, non_blocking=True)
        if len(self) * prod(self.shape) * self.pixels.element_size() > room:
            return Split(self.pixels, labels, self.rows, mapped=self.mapped)
        return Split(self.images.to(device, non_blocking=True), labels)

    def _handed_out(self, images: Tensor) -> Tensor:
        return images.to(self.labels.device, non_blocking=True)


def _in_a_row(rows: Tensor) -> Tensor | slice:
    """Return rows that follow one another as a slice, of which nothing is copied."""
    follow = len(rows) > 0 and bool((rows.diff() == 1).all())
    return slice(int(rows[0]), int(rows[-1]) + 1) if follow else rows


def few_of_each(labels: Tensor, count: int = FEW) -> Tensor:
    """Choose up to ``count`` images of as many classes as there are: the first of each, then the second …, in order."""
    seen: dict[int, int] = {}
    rounds = []  # how many images of its class come before each
    for label in labels.tolist():
        rounds.append(seen.get(label, 0))
        seen[label] = rounds[-1] + 1
    chosen = sorted(range(len(rounds)), key=lambda at: (rounds[at], int(labels[at])))[:count]
    return torch.tensor(chosen, dtype=torch.long)


def stratified(labels: Tensor, fraction: float, seed: int) -> Tensor:
    """Choose the same share of every class at random: a mask (N,), another for each seed."""
    generator = torch.Generator().manual_seed(seed)
    mask = torch.zeros(len(labels), dtype=torch.bool)
    for label in labels.unique():
        members = (labels == label).nonzero().flatten()
        order = torch.randperm(len(members), generator=generator)
        mask[members[order[: max(1, round(fraction * len(members)))]]] = True
    return mask


def held_out(split: Split, fraction: float, seed: int) -> Tensor:
    """Choose about the same share of every class at random, never a part of a group: a mask (N,)."""
    if split.groups is None:
        return stratified(split.labels, fraction, seed)
    return held_out_groups(split.labels, split.groups, fraction, seed)


def held_out_groups(labels: Tensor, groups: Tensor, fraction: float, seed: int) -> Tensor:
    """Choose whole groups at random until they have ``fraction`` of every class, as nearly as groups allow.

    A class of two groups or more has one on either side, where no other class of these groups forbids it.
    """
    generator = torch.Generator().manual_seed(seed)
    count = int(labels.max()) + 1
    totals = torch.bincount(labels, minlength=count)
    wanted = (fraction * totals).round().clamp_min(1).long()
    numbers, sizes = torch.unique(groups, return_inverse=True, return_counts=True)[1:]
    is_alone = sizes[numbers] == 1
    several = _members(numbers, is_alone, generator)
    mask, taken = torch.zeros(len(labels), dtype=torch.bool), torch.zeros_like(totals)

    def take(chosen: Tensor) -> None:
        mask[chosen] = True
        taken.add_(torch.bincount(labels[chosen], minlength=count))

    def take_some(share: float) -> None:
        for chosen in several:
            more = torch.bincount(labels[chosen], minlength=count)
            fits = bool((taken + more <= wanted).all()) and bool((taken + more < totals)[more > 0].all())
            if fits and not mask[chosen[0]] and torch.rand((), generator=generator) < share:
                take(chosen)

    take_some(fraction)
    for label in range(count):
        alone = (is_alone & (labels == label)).nonzero().flatten()
        missing = int(min(wanted[label], totals[label] - 1) - taken[label])
        take(alone[torch.randperm(len(alone), generator=generator)[: max(0, missing)]])
    take_some(1)  # for classes of too few pictures that are alone
    for chosen in several:  # for classes that have none yet, though the group is larger than their share
        more = torch.bincount(labels[chosen], minlength=count)
        if bool((taken[more > 0] == 0).all()) and bool((more < totals)[more > 0].all()):
            take(chosen)
    return mask


def _members(numbers: Tensor, is_alone: Tensor, generator: torch.Generator) -> list[Tensor]:
    """List the members of each group of more than one, in random order."""
    rest = (~is_alone).nonzero().flatten()
    order = rest[torch.argsort(numbers[rest], stable=True)]
    lists = order.split(torch.unique_consecutive(numbers[order], return_counts=True)[1].tolist())
    return [lists[at] for at in torch.randperm(len(lists), generator=generator).tolist()] if len(rest) else []


def sampled(split: Split, count: int, seed: int = 0) -> Split:
    """Sample about ``count`` images of a split, the same share of every class; all where there are no more.

    Data sets are ordered: MNIST's first 5,000 test images are easier than its last.
    """
    return split if len(split) <= count else split.part(stratified(split.labels, count / len(split), seed))


def evenly(length: int, count: int) -> Tensor:
    """Choose ``count`` evenly spaced indices below ``length``, or all where there are no more."""
    return torch.arange(min(count, length)) * length // min(count, length)


def fingerprints(images: Tensor | Split) -> npt.NDArray[np.uint64]:
    """Hash each image of (N, C, H, W) uint8 to 64 bits: equal for equal pixels, and practically never otherwise."""
    parts = (part.cpu().contiguous().numpy() for part in images.split(HASHED_AT_ONCE))
    digests = b"".join(blake2b(image, digest_size=8).digest() for pixels in parts for image in pixels)
    return np.frombuffer(digests, np.uint64)
