"""Accuracies that classes of unequal size do not distort, from the counts of each class alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean

IMBALANCED = 1.5  # times the smallest class: from here on accuracy is mostly that of the large ones


def is_imbalanced(support: Iterable[int]) -> bool:
    """Tell whether the largest class has at least IMBALANCED times the images of the smallest; False without any."""
    counts = list(support)
    return bool(counts) and max(counts) > 0 and max(counts) >= IMBALANCED * min(counts)


def balanced_accuracy(recall: Sequence[float], support: Sequence[int]) -> float:
    """Compute the mean recall of the classes that occur (Brodersen et al. 2010).

    ``recall`` is the share of a class's images that are named right, ``support`` their number. 0 without images.
    """
    return _mean_where_present(recall, support)


def macro_f1(f1: Sequence[float], support: Sequence[int]) -> float:
    """Compute the mean F1 of the classes that occur, each class counting alike; 0 without images."""
    return _mean_where_present(f1, support)


def f1_scores(hits: Sequence[int], support: Sequence[int], named: Sequence[int]) -> tuple[float, ...]:
    """Compute each class's F1, the harmonic mean of precision and recall; 0 for one that neither occurs nor is named.

    ``hits`` are its images that are named right, ``support`` all its images, ``named`` the images taken for it.
    """
    return tuple(2 * right / max(1, own + taken) for right, own, taken in zip(hits, support, named, strict=True))


def _mean_where_present(values: Sequence[float], support: Sequence[int]) -> float:
    present = [value for value, images in zip(values, support, strict=True) if images]
    return fmean(present) if present else 0.0
