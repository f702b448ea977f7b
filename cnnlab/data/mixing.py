"""Mixup and CutMix: images of a batch mixed with one another, and their labels likewise."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def mixed(
    inputs: Tensor, labels: Tensor, classes: int, mixup: float, cutmix: float, draws: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Mix each image (N, C, H, W) of a batch with the one before it: images (N, C, H, W), targets (N, classes).

    ``mixup`` (Zhang et al. 2017, arXiv:1710.09412) and ``cutmix`` (Yun et al. 2019, arXiv:1905.04899) are the α of the
    Beta(α, α) from which the share λ of the images themselves is drawn, once for a batch; 0 is off. Where both are on,
    a batch takes either, by the toss of a coin. The target is λ for the label and 1 − λ for the other image's. The
    papers choose partners at random; here the batch is in random order, so the image before will do.
    """
    is_cut = bool(cutmix) and not (mixup and draws.random() < 0.5)
    alpha = cutmix if is_cut else mixup
    share = float(draws.beta(alpha, alpha))
    images, share = _cut(inputs, share, draws) if is_cut else (_blend(inputs, share), share)
    targets = torch.eye(classes, device=labels.device)[labels]  # (N,) → (N, classes); one_hot would wait for a GPU
    return images, _blend(targets, share)


def _blend(values: Tensor, share: float) -> Tensor:
    """Return ``share`` of each row and the rest of the row before it."""
    return values * share + values.roll(1, 0) * (1 - share)


def _cut(inputs: Tensor, share: float, draws: np.random.Generator) -> tuple[Tensor, float]:
    """Replace a rectangle of 1 − ``share`` of the area by the other image's; return also the share that is left.

    It has the image's proportions and its middle anywhere, so that a part may lie outside, as in the paper.
    """
    height, width = inputs.shape[2:]
    half = (1 - share) ** 0.5 / 2  # of the sides
    row, column = draws.random(2)
    top, bottom = (round(min(max(row + way * half, 0), 1) * height) for way in (-1, 1))
    left, right = (round(min(max(column + way * half, 0), 1) * width) for way in (-1, 1))
    images = inputs.clone()
    images[:, :, top:bottom, left:right] = inputs.roll(1, 0)[:, :, top:bottom, left:right]
    return images, 1 - (bottom - top) * (right - left) / (height * width)
