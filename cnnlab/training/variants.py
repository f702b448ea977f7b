"""Augmented variants of each image, made once where the features of frozen layers are kept."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from cnnlab.data.augmentation import Augment, unit
from cnnlab.data.batches import Order

SEEDS_APART = 1000  # the variants of a training's seed from those of the next: more than it may have

Change = Callable[[Tensor, Tensor], Tensor]  # (uint8 images, labels) → uint8 images


def variant(number: int, seed: int, augment: Augment, classes: tuple[str, ...]) -> Change:
    """Return what makes the variant ``number`` of images that come in the same order, the same for the same seed."""
    draws = torch.Generator().manual_seed(SEEDS_APART * seed + number)

    def change(images: Tensor, labels: Tensor) -> Tensor:
        pixels = unit(augment(images, labels, classes, draws))
        return pixels.mul_(255).round_().clamp_(0, 255).byte()

    return change


def one_of_each(order: Order, images: int, variants: int) -> Order:
    """Return the ``order`` of an epoch's images, of each one of its variants at random.

    The variants of all ``images`` lie one set after another.
    """
    if variants == 1:
        return order

    def chosen(labels: Tensor, draws: torch.Generator) -> Tensor:
        first = order(labels[:images], draws)
        return first + images * torch.randint(variants, (len(first),), generator=draws, device=draws.device)

    return chosen
