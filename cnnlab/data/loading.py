"""Data sets in memory, split into training, validation and test images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cnnlab.data.datasets import dataset_spec
from cnnlab.data.download import fetch
from cnnlab.data.spec import DatasetSpec
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
) -> Data:
    """Load a data set, downloading it where its files are not in ``folder`` (default: ``data_folder()``).

    Validation is a stratified part of the training images, the same for the same seed; of what it leaves,
    ``train_fraction`` is kept to train on, stratified too.
    Raises DatasetError for an unknown name, damaged files or a failed download.
    """
    whole, test = _whole(name, folder)
    return hold_out_validation(dataset_spec(name), whole, test, validation_fraction, seed, train_fraction)


def hold_out_validation(
    spec: DatasetSpec, whole: Split, test: Split, validation_fraction: float, seed: int, train_fraction: float
) -> Data:
    """Hold validation out of the training images ``whole``; the fractions and the seed as in ``load``."""
    chosen = held_out(whole, validation_fraction, seed)
    train = whole.part(~chosen)
    return Data(
        spec=spec,
        train=train if train_fraction == 1 else train.part(stratified(train.labels, train_fraction, seed)),
        validation=whole.part(chosen),
        test=test,
    )


def load_test(name: str, folder: Path | None = None) -> Split:
    """Load the test images alone; raises as ``load`` does."""
    return _whole(name, folder)[1]


def load_train(name: str, folder: Path | None = None) -> Split:
    """Load all training images in the data set's order, validation among them; raises as ``load`` does."""
    return _whole(name, folder)[0]


def _whole(name: str, folder: Path | None) -> tuple[Split, Split]:
    """Load all training images and all test images."""
    return fetch(name, folder).result()
