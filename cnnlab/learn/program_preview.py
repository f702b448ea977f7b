"""What the steps of a program come to before it trains, found by running them here."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib.metadata import version
from math import log

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from cnnlab.data.batches import Standardise, scaling
from cnnlab.data.datasets import dataset_spec
from cnnlab.data.loading import hold_out_validation, load_test, load_train
from cnnlab.data.splits import Split
from cnnlab.evaluation.evaluate import evaluate, predict
from cnnlab.training.config import RunConfig
from cnnlab.training.device import choose_device, threads_each
from cnnlab.training.optimizer import make_optimizer
from cnnlab.training.run_data import network_for

Picture = npt.NDArray[np.uint8]

ASKED = 100  # validation images that an untrained network is asked about, at the most
SHOWN = 3  # images of each class


@dataclass(frozen=True)
class Splits:
    """The data as a training gets them."""

    images: dict[str, int]  # by split
    shape: tuple[int, ...]  # of a batch of one image
    lowest: float  # of the validation images' pixels, as the network gets them
    highest: float
    wall: Picture  # a few training images, one class a column: (rows · H, classes · W), dark on light


@dataclass(frozen=True)
class Guess:
    """What a network says before it has learned anything."""

    loss: float  # mean cross-entropy
    accuracy: float  # fraction
    by_chance: float  # the loss of one that gives all classes the same probability
    images: int  # that it was asked about
    logits: dict[str, float]  # for the first of them, by class
    label: str  # of that


def versions() -> dict[str, str]:
    """What a program runs on here, and the threads that a training gets."""
    return {
        "Python": platform.python_version(),
        "PyTorch": torch.__version__,
        "NumPy": np.__version__,
        "Plotly": version("plotly"),
        "Threads": str(threads_each()),
    }


def first_look(config: RunConfig) -> tuple[Splits, Guess]:
    """Steps 2 and 4. Raises DatasetError where the data set cannot be had."""
    spec, whole = dataset_spec(config.dataset), load_train(config.dataset)
    # Divided by their numbers, for to copy all pixels takes longer than a reader likes to wait.
    numbers, test_labels = torch.arange(len(whole)), load_test(config.dataset).labels
    data = hold_out_validation(
        spec,
        Split(numbers, whole.labels),
        Split(torch.arange(len(test_labels)), test_labels),
        config.validation_fraction,
        config.held_out_by,
        config.train_fraction,
    )
    asked = whole.part(data.validation.images[:ASKED])
    pixels = _standardise(config)(asked.images.float() / 255)
    splits = Splits(
        images={"training": len(data.train), "validation": len(data.validation), "test": len(data.test)},
        shape=tuple(pixels[:1].shape),
        lowest=pixels.min().item(),
        highest=pixels.max().item(),
        wall=_wall(whole.images, data.train, len(spec.classes)),
    )
    return splits, _guess(config, asked)


def _guess(config: RunConfig, asked: Split) -> Guess:
    spec = dataset_spec(config.dataset)
    network = network_for(config, spec)
    checked = evaluate(network, asked, _standardise(config))
    (logits,) = predict(network, asked.images[:1], _standardise(config)).tolist()
    return Guess(
        loss=checked.loss,
        accuracy=checked.accuracy,
        by_chance=log(len(spec.classes)),
        images=len(asked),
        logits=dict(zip(spec.classes, logits, strict=True)),
        label=spec.classes[int(asked.labels[0])],
    )


def optimiser_settings(config: RunConfig) -> dict[str, str]:
    """Step 5: every setting of the optimiser, PyTorch's own among them."""
    any_network = nn.Linear(1, 1)  # they do not depend on it
    (group,) = make_optimizer(any_network, config, choose_device(config.device)).param_groups
    return {name: str(value) for name, value in group.items() if name != "params" and value is not None}


def _standardise(config: RunConfig) -> Standardise:
    return Standardise(*scaling(dataset_spec(config.dataset), config.normalise))


def _wall(images: Tensor, train: Split, classes: int) -> Picture:
    """As many rows as every class has images for, SHOWN at the most; ``train`` has their numbers."""
    of_each = [train.images[train.labels == label] for label in range(classes)]
    rows = min(SHOWN, *map(len, of_each))
    return 255 - torch.cat([images[numbers[:rows]].flatten(0, 2) for numbers in of_each], dim=1).numpy()
