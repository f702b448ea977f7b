"""Pictures that stand out by what they show: labels that others contradict, pictures unlike all others."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from cnnlab.data.pictures.features import Floats, Integers
from cnnlab.data.splits import held_out_groups

FOLDS = 5
SHRINKAGE = 1.0  # of the ridge regression, for each picture and feature
NEIGHBOURS = 5
REFERENCES = 5_000  # pictures that neighbours are looked for among, at the most
FAR = 3.5  # robust standard deviations beyond which a picture is unlike all others
SPREAD = 1.4826  # median absolute deviations in the standard deviation of normal numbers
BATCH = 1_024


class Contradictions(NamedTuple):
    """Tell of each picture how its label is contradicted."""

    margins: Floats  # (N,) by how much another class is more likely than the label; above 0 the label is doubtful
    classes: Integers  # (N,) that other class


def contradictions(features: Floats, labels: Integers, groups: Integers, classes: int) -> Contradictions:
    """Compute how the labels (N,) are contradicted by the other pictures, described by ``features`` (N, F).

    Each picture is judged by a ridge regression that was fitted to others, never to pictures of its own group. This is
    the normalised margin that confident learning ranks by (Northcutt, Jiang and Chuang 2021, arXiv:1911.00068).
    """
    inputs, known = torch.from_numpy(features), torch.from_numpy(labels)
    targets = F.one_hot(known, classes).float()
    scores = torch.zeros(len(inputs), classes)
    folds = _folds(known, torch.from_numpy(groups))
    products = [(inputs[fold].T @ inputs[fold], inputs[fold].T @ targets[fold]) for fold in folds]
    squares, crossed = (sum(parts[1:], parts[0]) for parts in zip(*products, strict=True))
    for fold, (square, cross) in zip(folds, products, strict=True):
        count = len(inputs) - len(fold)
        ridge = SHRINKAGE * features.shape[1] * torch.eye(features.shape[1])
        weights = torch.linalg.solve(squares - square + ridge, crossed - cross)  # (F, classes)
        shares = (targets.sum(0) - targets[fold].sum(0)) / count
        scores[fold] = inputs[fold] @ weights + shares
    own = scores.gather(1, known[:, None])[:, 0]
    others = scores.scatter(1, known[:, None], -torch.inf).max(1)
    return Contradictions((others.values - own).numpy(), others.indices.numpy())


def _folds(labels: Tensor, groups: Tensor) -> list[Tensor]:
    """Divide the pictures (N,) into FOLDS parts of about the same classes, none of which divides a group."""
    left = torch.arange(len(labels))
    parts = []
    for number in range(FOLDS, 1, -1):
        chosen = held_out_groups(labels[left], groups[left], 1 / number, seed=number)
        parts.append(left[chosen])
        left = left[~chosen]
    return [part for part in (*parts, left) if len(part)]


def outliers(features: Floats, tones: Floats) -> list[int]:
    """List the pictures that are unlike all others in pattern or in tone, the most so first.

    A picture stands out where the distance to its fifth nearest, in ``features`` (N, F) or in ``tones`` (N, T), is
    FAR robust standard deviations above the usual, on a logarithmic scale.
    """
    far = torch.maximum(_isolation(features), _isolation(tones))
    chosen = (far > FAR).nonzero().flatten()
    return chosen[far[chosen].argsort(descending=True, stable=True)].tolist()


def _isolation(numbers: Floats) -> Tensor:
    """Compute (N,): robust standard deviations by which each is farther from its neighbours than usual."""
    inputs = torch.from_numpy(numbers)
    chosen = torch.randperm(len(inputs), generator=torch.Generator().manual_seed(0))[:REFERENCES]
    count = min(NEIGHBOURS + 1, len(chosen))  # a picture is its own nearest
    # No list: small tensors between large ones would keep these from being given back.
    farthest = torch.empty(len(inputs))
    for place, batch in zip(farthest.split(BATCH), inputs.split(BATCH), strict=True):
        place.copy_(torch.cdist(batch, inputs[chosen]).topk(count, largest=False).values[:, -1])
    logarithms = farthest.clamp_min(1e-6).log()
    middle = logarithms.median()
    spread = SPREAD * (logarithms - middle).abs().median()
    return (logarithms - middle) / spread.clamp_min(1e-6)
