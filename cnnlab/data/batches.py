"""Batches of images, several prepared at once, and their pixels on the scale a network takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from math import prod
from statistics import mean

import torch
from torch import Tensor

from cnnlab.data.spec import DatasetSpec
from cnnlab.data.splits import Split

PREPARED_AT_ONCE = 2048  # images at the most
PREPARED_NUMBERS = PREPARED_AT_ONCE * 3 * 32 * 32  # in them

IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # mean and standard deviation of red, green, blue

Parting = Callable[[Tensor, int], Sequence[Tensor]]
Order = Callable[[Tensor, torch.Generator], Tensor]  # labels (N,) → indices of the images to train on (N,)


def split_joining_single(items: Tensor, size: int) -> Sequence[Tensor]:
    """Split ``items`` into parts of ``size``, the rest last; a single last item joins the part before it."""
    parts, rest = divmod(len(items), size)
    if rest != 1 or not parts:
        return torch.split(items, size)
    return torch.split(items, [size] * (parts - 1) + [size + 1])


def shuffled(labels: Tensor, generator: torch.Generator) -> Tensor:
    """Return the indices of all images in random order: (N,)."""
    return torch.randperm(len(labels), generator=generator, device=generator.device)


def batches(
    split: Split,
    size: int,
    generator: torch.Generator | None = None,
    parting: Parting = torch.split,
    order: Order = shuffled,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield batches of (images, labels) in the ``order`` drawn from ``generator``, without one in the split's."""
    if generator is None:
        yield from ((part.images, part.labels) for part in split.parts(size))
        return
    chunks = parting(order(split.labels, generator).to(split.labels.device), size)
    for chosen, following in zip_longest(chunks, chunks[1:]):
        images = split.take(chosen)
        if following is not None:
            split.foresee(following)
        yield images, split.labels.index_select(0, chosen)


def prepared_batches(
    split: Split,
    size: int,
    generator: torch.Generator,
    prepare: Callable[[Tensor, Tensor], Tensor],
    parting: Parting = torch.split,
    order: Order = shuffled,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield batches in random ``order``, divided by ``parting``, whose images went through ``prepare(images, labels)``.

    Several small batches are prepared at once, as an operation costs as much for 32 images as for 1,000.
    """
    at_once = prepared_at_once(size, split.shape)
    for images, labels in batches(split, at_once, generator, parting, order):
        yield from zip(parting(prepare(images, labels), size), parting(labels, size), strict=True)


def prepared_at_once(size: int, shape: Sequence[int]) -> int:
    """Return how many images of ``shape`` = (C, H, W) to prepare together: whole batches of ``size``."""
    return max(1, min(PREPARED_AT_ONCE, PREPARED_NUMBERS // prod(shape)) // size) * size


class Standardise:
    """Scale pixels in 0…1 (N, C, H, W) to (pixels − mean) / std, per channel."""

    def __init__(self, mean: Sequence[float], std: Sequence[float], device: torch.device | str = "cpu") -> None:
        self.scale = tuple(mean), tuple(std)
        self._scale = 1 / torch.tensor(std, device=device).view(-1, 1, 1)
        self._offset = -torch.tensor(mean, device=device).view(-1, 1, 1) * self._scale

    def __call__(self, pixels: Tensor) -> Tensor:
        return (pixels * self._scale).add_(self._offset)

    def in_place(self, pixels: Tensor) -> Tensor:
        """Scale pixels that nobody else needs, without a copy of them."""
        return pixels.mul_(self._scale).add_(self._offset)

    def inputs(self, images: Tensor) -> Tensor:
        """Convert uint8 images to a network's input; features, which are no pixels, only to 32 bits."""
        return images.float() if images.is_floating_point() else self(images.float() / 255)


def scaling(spec: DatasetSpec, normalise: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and standard deviation per channel, of pixels in 0…1, for a RunConfig's ``normalise``."""
    channels = spec.shape[0]
    of_photos = tuple((mean(each),) * channels for each in IMAGENET) if channels == 1 else IMAGENET
    return {
        "standard": (spec.mean, spec.std),
        "unit": ((0.0,) * channels, (1.0,) * channels),
        "symmetric": ((0.5,) * channels, (0.5,) * channels),
        "imagenet": (of_photos[0], of_photos[1]),
    }[normalise]
