"""What a run and those it comes from were trained on, so that none of them is judged by what it has seen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from cnnlab.data.datasets import DATASETS, DatasetError
from cnnlab.data.download import data_folder
from cnnlab.data.loading import Data, load, load_test
from cnnlab.data.splits import Split, fingerprints
from cnnlab.runs.store import Run, RunError, RunStore
from cnnlab.training.config import ConfigError, RunConfig
from cnnlab.training.run_data import load_for

FEWEST = 50  # images to judge by, where some were trained on


def inherited(config: RunConfig, store: RunStore) -> RunConfig:
    """Give a branch the split of its parent, so that its validation images are none that its parent learned.

    A parent on another data set leaves the split to the config; what both have in common ``data_of`` takes out.
    Where the parent is not in ``store`` the config stays as it is, for its training will say so.
    Raises ConfigError where the config names another split.
    """
    if not config.parent:
        return config
    try:
        parent = store.open(config.parent.run).config
    except RunError:
        return config
    if parent.dataset != config.dataset:
        return config.model_copy(update={"split_seed": config.held_out_by})
    split = {"validation_fraction": parent.validation_fraction, "split_seed": parent.held_out_by}
    for name, value in split.items():
        if name in config.model_fields_set and getattr(config, name) not in (value, None):
            raise ConfigError(
                f"{name}: a branch keeps its parent's, which is {value}, or some of its validation images would be "
                "ones that its parent was trained on: leave it out"
            )
    return config.model_copy(update=split)


def data_of(run: Run, folder: Path | None = None) -> Data:
    """A run's data, its held-out images without those that a run it comes from was trained on; as ``load_for``.

    Branches without a split seed are from before this was heeded: they keep the images that they were trained with.
    Raises DatasetError where too few are left.
    """
    config = run.config
    data = load_for(config, folder)
    if config.split_seed is None or not config.parent:
        return data
    others = [other for other in _lineage(run) if _split(other) != _split(config)]
    return replace(
        data,
        validation=_unseen(data.validation, others, f"{config.dataset}'s validation images", folder),
        test=_unseen(data.test, _elsewhere(others, config.dataset), f"{config.dataset}'s test images", folder),
    )


def unseen_test(run: Run, dataset: str) -> Split:
    """The test images of a data set that neither the run nor one it comes from was trained on.

    Raises DatasetError where these are too few, or what was trained on cannot be had.
    """
    return _unseen(load_test(dataset), _elsewhere(_lineage(run), dataset), f"{dataset}'s test images")


def trained_on(configs: Iterable[RunConfig], images: Tensor, folder: Path | None = None) -> Tensor:
    """(N,): which of the images (N, C, H, W) uint8 runs of ``configs`` learned, told by their pixels."""
    seen = torch.zeros(len(images), dtype=torch.bool)
    alike = [config for config in configs if _shape(config) == tuple(images.shape[1:])]
    if alike:
        own = fingerprints(images)
        for config in alike:
            learned = _learned(
                config.dataset,
                config.validation_fraction,
                config.held_out_by,
                config.train_fraction,
                folder or data_folder(),
            )
            seen |= torch.from_numpy(np.isin(own, learned))
    return seen


def _unseen(split: Split, configs: Iterable[RunConfig], what: str, folder: Path | None = None) -> Split:
    seen = trained_on(configs, split.images, folder)
    left = len(seen) - int(seen.sum())
    if left == len(seen):
        return split
    if left < FEWEST:
        raise DatasetError(
            f"{len(seen) - left} of {what}, {len(seen)}, are among those that the run, or one it comes from, was "
            f"trained on: {left} are too few to judge by"
        )
    return split.part(~seen)


def _lineage(run: Run) -> list[RunConfig]:
    return [ancestor.config for ancestor in RunStore(run.folder.parent).lineage(run)]


def _elsewhere(configs: Iterable[RunConfig], dataset: str) -> list[RunConfig]:
    """Those on other data sets: a data set's own test images are trained on by nobody."""
    return [config for config in configs if config.dataset != dataset]


def _split(config: RunConfig) -> tuple[str, float, int]:
    return config.dataset, config.validation_fraction, config.held_out_by


def _shape(config: RunConfig) -> tuple[int, ...]:
    return DATASETS[config.dataset].shape if config.dataset in DATASETS else ()


@lru_cache(maxsize=8)
def _learned(
    dataset: str, validation_fraction: float, split_seed: int, train_fraction: float, folder: Path
) -> npt.NDArray[np.uint64]:
    return fingerprints(load(dataset, validation_fraction, split_seed, folder, train_fraction).train.images)
