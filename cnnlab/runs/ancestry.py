"""The training images of a run and its ancestors, so that none of them is tested on images that it has seen."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from cnnlab.data.datasets import DATASETS
from cnnlab.data.folders import data_folder
from cnnlab.data.loading import Data, load, load_test
from cnnlab.data.spec import DatasetError
from cnnlab.data.splits import Split, fingerprints
from cnnlab.pretrained.weights import content_digest, known_digest
from cnnlab.runs.run import Run, RunError
from cnnlab.runs.store import RunStore
from cnnlab.runs.summary import MAX_ANCESTORS, Learned
from cnnlab.training.config import ConfigError, RunConfig
from cnnlab.training.run_data import load_for

FEWEST = 50  # images to test on, where some were trained on

FROM_BEFORE = "This branch is from an older version: its parent trained on some of its test images"
NOT_HERE = "A parent of this run is missing: it may have trained on test images of this run"


def inherited(config: RunConfig, store: RunStore) -> RunConfig:
    """Give a branch the split of its parent, so that its validation images are none that its parent was trained on.

    Where the parent has another data set, the config decides the split; ``data_of`` removes the images that both have.
    Where the parent is not in ``store`` the config is unchanged, and its training will report that. Raises ConfigError
    where the config names another split.
    """
    if config.start and not config.start.digest and not config.comes_from:
        return _with_digest(config, known_digest(config.start.name))
    if not config.comes_from:
        return config
    try:
        begun = store.open(config.comes_from.run)
        parent = begun.config
    except RunError:
        return config
    if config.start and not config.start.digest:
        config = _with_digest(config, content_digest(begun.weights(config.comes_from.epoch)))
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


def _with_digest(config: RunConfig, digest: str) -> RunConfig:
    """Note what the weights to start from are, as far as that is known; those to be fetched are checked then."""
    assert config.start
    return config.model_copy(update={"start": config.start.model_copy(update={"digest": digest})})


def data_of(run: Run, folder: Path | None = None) -> Data:
    """Load a run's data, without held-out images that an ancestor was trained on. Raises as ``load_for``.

    Branches without a split seed come from versions without this rule: they keep the images that they were trained
    with. Raises DatasetError where too few are left.
    """
    config = run.config
    data = load_for(config, folder)
    if config.split_seed is None or not config.comes_from:
        return data
    others = [other for other in ancestors(run) if _split(other) != _split(Learned.of(config))]
    return replace(
        data,
        validation=_unseen(data.validation, others, f"{config.dataset}'s validation images", folder),
        test=_unseen(data.test, _elsewhere(others, config.dataset), f"{config.dataset}'s test images", folder),
    )


def unseen_test(run: Run, dataset: str) -> Split:
    """Return the test images of a data set that neither the run nor any of its ancestors was trained on.

    Raises DatasetError where these are too few, or the training images cannot be loaded.
    """
    learned = [Learned.of(run.config), *ancestors(run)]
    return _unseen(load_test(dataset), _elsewhere(learned, dataset), f"{dataset}'s test images")


def ancestors(run: Run) -> tuple[Learned, ...]:
    """Return the training images of the ancestors, as noted when training began; else of those that are here."""
    found: list[Learned] = []
    with suppress(RunError):
        for kin in RunStore(run.folder.parent).lineage(run):
            if kin.id != run.id:
                found.append(Learned.of(kin.config))
            if noted := kin.summary.ancestors:
                found += noted
                break
    return tuple(dict.fromkeys(found))[:MAX_ANCESTORS]


def has_learned_held_out(other: Run, run: Run) -> bool:
    """Check whether ``other``, or an ancestor, may have been trained on images that are held out for ``run``."""
    known, learned = ({_split(one) for one in (Learned.of(each.config), *ancestors(each))} for each in (run, other))
    return not learned <= known


def datasets_of(run: Run) -> list[str]:
    """Return the names of the data sets of the run and of its ancestors."""
    own = run.config
    alike = [other.dataset for other in ancestors(run) if _shape(other) == _shape(Learned.of(own))]
    return list(dict.fromkeys([own.dataset, *alike]))


def caveat(run: Run) -> str:
    """Return why it may have been tested on images that an ancestor was trained on; empty where it was not."""
    config, known = run.config, ancestors(run)
    if not config.comes_from:
        return ""
    if config.split_seed is None and any(_split(other) != _split(Learned.of(config)) for other in known):
        return FROM_BEFORE
    return "" if run.summary.ancestors or RunStore(run.folder.parent).origin(run) else NOT_HERE


def trained_on(learned: Iterable[Learned], images: Split, folder: Path | None = None) -> Tensor:
    """Return a mask (N,) of the ``images`` that are among those ``learned``, compared by pixels."""
    seen = torch.zeros(len(images), dtype=torch.bool)
    alike = [one for one in learned if _shape(one) == images.shape]
    if alike:
        own = fingerprints(images)
        for one in alike:
            seen |= torch.from_numpy(np.isin(own, _learned(one, folder or data_folder())))
    return seen


def _unseen(split: Split, learned: Iterable[Learned], what: str, folder: Path | None = None) -> Split:
    seen = trained_on(learned, split, folder)
    left = len(seen) - int(seen.sum())
    if left == len(seen):
        return split
    if left < FEWEST:
        raise DatasetError(
            f"{len(seen) - left} of {what}, {len(seen)}, are among those that the run, or one it comes from, was "
            f"trained on: {left} are too few to judge by"
        )
    return split.part(~seen)


def _elsewhere(learned: Iterable[Learned], dataset: str) -> list[Learned]:
    """Return those on other data sets: no run is trained on its own data set's test images."""
    return [one for one in learned if one.dataset != dataset]


def _split(one: Learned) -> tuple[str, float, int]:
    return one.dataset, one.validation_fraction, one.held_out_by


def _shape(one: Learned) -> tuple[int, ...]:
    return DATASETS[one.dataset].shape if one.dataset in DATASETS else ()


@lru_cache(maxsize=8)
def _learned(one: Learned, folder: Path) -> npt.NDArray[np.uint64]:
    data = load(one.dataset, one.validation_fraction, one.held_out_by, folder, one.train_fraction)
    return fingerprints(data.train)
