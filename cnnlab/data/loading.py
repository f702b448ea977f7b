"""Data sets in memory, split into training, validation and test images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from cnnlab.data.datasets import dataset_spec
from cnnlab.data.download import fetch
from cnnlab.data.spec import DatasetError, DatasetSpec
from cnnlab.data.splits import Split, held_out, stratified


@dataclass(frozen=True)
class Data:
    """A loaded data set. Validation guides the choices; test gives the final score."""

    spec: DatasetSpec
    train: Split
    validation: Split
    test: Split


def load(
    name: str,
    validation_fraction: float = 0.1,
    seed: int = 0,
    folder: Path | None = None,
    train_fraction: float = 1.0,
    excluded: Sequence[int] = (),
) -> Data:
    """Load a data set, downloading it where its files are not in ``folder`` (default: ``data_folder()``).

    Validation is a stratified part of the training images, the same for the same seed; of what it leaves,
    ``train_fraction`` is kept to train on, stratified too, but for the images ``excluded`` by their indices.
    Raises DatasetError for an unknown name, damaged files, a failed download, or where no image is left.
    """
    whole, test = _whole(name, folder)
    return hold_out_validation(dataset_spec(name), whole, test, validation_fraction, seed, train_fraction, excluded)


def hold_out_validation(
    spec: DatasetSpec,
    whole: Split,
    test: Split,
    validation_fraction: float,
    seed: int,
    train_fraction: float,
    excluded: Sequence[int] = (),
) -> Data:
    """Hold validation out of the training images ``whole``; fractions, seed and ``excluded`` as in ``load``."""
    rows, checked = divided(whole, validation_fraction, seed, train_fraction, excluded)
    if not len(rows):
        raise DatasetError(f"excluded: no training image of {spec.name} is left: leave out fewer")
    return Data(spec=spec, train=whole.part(rows), validation=whole.part(checked), test=test)


def divided(
    whole: Split, validation_fraction: float, seed: int, train_fraction: float, excluded: Sequence[int] = ()
) -> tuple[Tensor, Tensor]:
    """Return the indices of the images to train on (N,) and of those to validate on (M,); arguments as in ``load``.

    Raises DatasetError where an excluded image does not exist.
    """
    if excluded and max(excluded) >= len(whole):
        raise DatasetError(f"excluded: there is no training image {max(excluded)}, the last is {len(whole) - 1}")
    chosen = held_out(whole, validation_fraction, seed)
    rows = (~chosen).nonzero().flatten()
    if train_fraction < 1:
        rows = rows[stratified(whole.labels[rows], train_fraction, seed)]
    return rows[~torch.isin(rows, torch.tensor(excluded))] if excluded else rows, chosen.nonzero().flatten()


def load_test(name: str, folder: Path | None = None) -> Split:
    """Load the test images alone; raises as ``load`` does."""
    return _whole(name, folder)[1]


def load_train(name: str, folder: Path | None = None) -> Split:
    """Load all training images in the data set's order, validation among them; raises as ``load`` does."""
    return _whole(name, folder)[0]


def _whole(name: str, folder: Path | None) -> tuple[Split, Split]:
    """Load all training images and all test images."""
    return fetch(name, folder).result()
