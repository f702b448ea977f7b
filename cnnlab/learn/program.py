"""What the steps of a program come to before it trains, found by running them here."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from math import log

import numpy as np
import numpy.typing as npt
import plotly
import torch

from cnnlab.config import RunConfig
from cnnlab.data import Split, Standardise, dataset_spec, load_for, scaling
from cnnlab.devices import choose_device
from cnnlab.evaluation import evaluate, predict
from cnnlab.network import build
from cnnlab.training import make_optimizer
from cnnlab.turns import threads_each

Picture = npt.NDArray[np.uint8]

ASKED = 500  # validation images that an untrained network is asked about, at the most
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
        "Plotly": plotly.__version__,
        "Threads": str(threads_each()),
    }


def splits(config: RunConfig) -> Splits:
    """Step 2. Raises DatasetError where the data set cannot be had."""
    data = load_for(config)
    seen = _standardise(config)(data.validation.images[:ASKED].float() / 255)
    return Splits(
        images={"training": len(data.train), "validation": len(data.validation), "test": len(data.test)},
        shape=tuple(seen[:1].shape),
        lowest=seen.min().item(),
        highest=seen.max().item(),
        wall=_wall(data.train, len(data.spec.classes)),
    )


def guess(config: RunConfig) -> Guess:
    """Step 4: the network as its seed draws it. Raises DatasetError where the data set cannot be had."""
    data = load_for(config)
    classes = data.spec.classes
    network = build(config.architecture, data.spec.shape, len(classes), config.seed)
    asked = data.validation.part(slice(ASKED))
    checked = evaluate(network, asked, _standardise(config))
    (logits,) = predict(network, asked.images[:1], _standardise(config)).tolist()
    return Guess(
        loss=checked.loss,
        accuracy=checked.accuracy,
        by_chance=log(len(classes)),
        images=len(asked),
        logits=dict(zip(classes, logits, strict=True)),
        label=classes[int(asked.labels[0])],
    )


def optimiser_settings(config: RunConfig) -> dict[str, str]:
    """Step 5: every setting of the optimiser, PyTorch's own among them."""
    spec = dataset_spec(config.dataset)
    network = build(config.architecture, spec.shape, len(spec.classes), config.seed)
    (group,) = make_optimizer(network, config, choose_device(config.device)).param_groups
    return {name: str(value) for name, value in group.items() if name != "params" and value is not None}


def _standardise(config: RunConfig) -> Standardise:
    return Standardise(*scaling(dataset_spec(config.dataset), config.normalise))


def _wall(split: Split, classes: int) -> Picture:
    """As many rows as every class has images for, SHOWN at the most."""
    of_each = [split.images[split.labels == label] for label in range(classes)]
    rows = min(SHOWN, *map(len, of_each))
    return 255 - torch.cat([images[:rows].flatten(0, 2) for images in of_each], dim=1).numpy()
