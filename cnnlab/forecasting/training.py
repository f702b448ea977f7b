"""A training's settings as numbers and codes, and how unlike trainings on one data set are."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import log2
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from cnnlab.data import augmentation
from cnnlab.data.spec import DatasetSpec
from cnnlab.forecasting.gaussian_process import Floats
from cnnlab.runs.entry import Entry, layers_digest, macs
from cnnlab.training.config import COUNTS_WITH, RunConfig, field_title

# Doublings that make two trainings as unlike as another schedule does. Chosen on one data set, judged on another.
UNLIKE = {"learning_rate": 2.0, "batch_size": 2.5, "steps": 2.5, "images": 2.5, "macs": 6.0}
# Those that nothing is known of outside what was tried, in words; with the others the error falls as a power.
BOUNDED = {"learning_rate": "learning rate", "batch_size": "batch size", "macs": "network's multiply-accumulates"}
TRENDS = (2, 3)  # of these: steps and images, with which the error falls as a power
KINDS = (  # settings that are the same or not
    "optimizer",
    "momentum",
    "nesterov",
    "schedule",
    "step_epochs",
    "step_factor",
    "warmup_epochs",
    "weight_decay",
    "gradient_clipping",
    "weight_average",
    "label_smoothing",
    "class_balance",
    "augmentation",
    "mixup",
    "cutmix",
    "normalise",
    "early_stopping",
)
_READ = ("learning_rate", "batch_size", "epochs", "train_fraction", "validation_fraction", *KINDS)
_of_config, _of_row = itemgetter(*_READ), itemgetter(*map(field_title, _READ))


class Training(NamedTuple):
    """A training: where it lies among others."""

    numbers: tuple[float, ...]  # those of UNLIKE, in their units
    codes: tuple[int, ...]  # equal where the KINDS and the layers are


def planned(config: RunConfig, spec: DatasetSpec) -> Training | None:
    """Describe what ``config`` would train; None where its network does not take such images."""
    work = macs(config.architecture, spec.shape, len(spec.classes))
    settings = _of_config(config.scalars())
    return _training(settings, layers_digest(config.architecture.layers), work, spec.augmentation) if work else None


def trained(entry: Entry, spec: DatasetSpec) -> Training:
    """Describe what a run has trained, from its row; ``spec`` is of its data set."""
    return _training(_of_row(entry.row), entry.layers, entry.row["MACs"], spec.augmentation)


def beyond(training: Training, others: Sequence[Training]) -> str:
    """Name the BOUNDED number outside the range of all ``others`` by more than its doublings in UNLIKE, else ""."""
    known = zip(UNLIKE, training.numbers, zip(*(each.numbers for each in others), strict=True), strict=True)
    outside = {name: max(min(tried) - number, number - max(tried)) for name, number, tried in known if name in BOUNDED}
    farthest = max(outside, key=outside.__getitem__)
    return farthest if outside[farthest] > 1 else ""


def distances(from_: Sequence[Training], to: Sequence[Training]) -> Floats:
    """Return how unlike trainings are: (N, M)."""
    one, other = (np.array([each.numbers for each in some]) for some in (from_, to))
    squares = sum((one[:, None, at] - other[None, :, at]) ** 2 for at in range(len(UNLIKE)))
    codes, others = (np.array([each.codes for each in some]) for some in (from_, to))
    apart = sum(codes[:, None, at] != others[None, :, at] for at in range(codes.shape[1]))
    return np.asarray(np.sqrt(squares + apart), dtype=np.float64)


@lru_cache(maxsize=20_000)
def _training(settings: tuple[Any, ...], layers: str, work: int, usual: str) -> Training:
    """Describe a training; kept, as pages ask for thousands each time. ``usual`` is the data set's augmentation."""
    known = dict(zip(_READ, settings, strict=True))
    known["images"] = known["train_fraction"] * (1 - known["validation_fraction"])  # a share of the data set's
    known["steps"] = known["images"] * known["epochs"] / known["batch_size"]
    known["macs"] = work
    known["family"] = known["optimizer"].removesuffix("w")  # Adam and AdamW are more alike than others
    known["augmentation"] = augmentation.choose(known["augmentation"], usual)
    numbers = tuple(log2(known[name]) / doublings for name, doublings in UNLIKE.items())
    codes = (hash(_if_counting(name, known)) for name in ("family", *KINDS))
    return Training(numbers, (hash(layers), *codes))


def _if_counting(name: str, settings: dict[str, Any]) -> Any:
    """Return a setting; None where it has no effect beside the others."""
    by, values = COUNTS_WITH.get(name, ("", ()))
    return settings[name] if not by or settings[by] in values else None
