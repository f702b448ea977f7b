"""Results of the steps of a program before training, computed by running them here."""

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

ASKED = 100  # validation images predicted by the untrained network, at most
SHOWN = 3  # images of each class


@dataclass(frozen=True)
class Splits:
    """The data as a training uses them."""

    images: dict[str, int]  # by split
    shape: tuple[int, ...]  # of a batch with one image
    lowest: float  # of the validation images' pixels, as the network receives them
    highest: float
    wall: Picture  # a few training images, one class per column: (rows · H, classes · W), dark on light


@dataclass(frozen=True)
class Guess:
    """Predictions of an untrained network."""

    loss: float  # mean cross-entropy
    accuracy: float  # fraction
    by_chance: float  # the loss of uniform probabilities
    images: int  # number predicted
    logits: dict[str, float]  # of the first image, by class
    label: str  # of the first image


def versions() -> dict[str, str]:
    """List the versions of a program's packages here, and the number of threads of a training."""
    return {
        "Python": platform.python_version(),
        "PyTorch": torch.__version__,
        "NumPy": np.__version__,
        "Plotly": version("plotly"),
        "Threads": str(threads_each()),
    }


def first_look(config: RunConfig) -> tuple[Splits, Guess]:
    """Run steps 2 and 4. Raises DatasetError where the data set is not available."""
    spec, whole = dataset_spec(config.dataset), load_train(config.dataset)
    # Split by index: copying all pixels would take noticeably long.
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
    """List every setting of the optimiser for step 5, including PyTorch's defaults."""
    any_network = nn.Linear(1, 1)  # the settings do not depend on it
    (group,) = make_optimizer(any_network, config, choose_device(config.device)).param_groups
    return {name: str(value) for name, value in group.items() if name != "params" and value is not None}


def _standardise(config: RunConfig) -> Standardise:
    return Standardise(*scaling(dataset_spec(config.dataset), config.normalise))


def _wall(images: Tensor, train: Split, classes: int) -> Picture:
    """Arrange training images with as many rows as every class has images for, at most SHOWN."""
    of_each = [train.images[train.labels == label] for label in range(classes)]
    rows = min(SHOWN, *map(len, of_each))
    return 255 - torch.cat([images[numbers[:rows]].flatten(0, 2) for numbers in of_each], dim=1).numpy()
