"""What a network that was trained on ImageNet's photos calls one's own pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass

import torch
from torch import Tensor

from cnnlab.analysis.cross_validation import config_of, frozen_features
from cnnlab.data.datasets import dataset_spec
from cnnlab.data.loading import load_train
from cnnlab.data.torchvision_compat import imagenet_names
from cnnlab.pretrained.table import IMAGENET_HEAD
from cnnlab.pretrained.weights import published


@dataclass(frozen=True)
class Named:
    """How often pictures of one class were called by each of ImageNet's names."""

    label: str
    images: int
    names: tuple[tuple[str, int], ...]  # the most frequent first


@dataclass(frozen=True)
class Step:
    """Progress, and the names once all pictures were looked at."""

    done: float
    classes: tuple[Named, ...] = ()


def call_by_imagenet(dataset: str, most: int = 5) -> Generator[Step]:
    """Find what the published network calls the training pictures of a data set: its first answer of 1,000 to each.

    For each class the ``most`` frequent names are kept. Raises PretrainedError where the weights are not here.
    """
    config = config_of("transfer", dataset)
    split, spec, weights = load_train(dataset), dataset_spec(dataset), published(config.backbone)
    work = frozen_features(config, spec, split)
    for done in work:
        yield Step(done / work.images)
    answers = _answers(work.splits()[0].images.float(), weights)
    names = imagenet_names()
    classes = []
    for number, label in enumerate(spec.classes):
        found = Counter(answers[split.labels == number].tolist())
        told = tuple((names[answer], count) for answer, count in found.most_common(most))
        classes.append(Named(label, found.total(), told))
    yield Step(1.0, tuple(classes))


def _answers(features: Tensor, weights: dict[str, Tensor]) -> Tensor:
    """Return the most probable of ImageNet's classes by features (N, F): (N,)."""
    logits = torch.nn.functional.linear(features, weights[f"{IMAGENET_HEAD}.weight"], weights[f"{IMAGENET_HEAD}.bias"])
    return logits.argmax(1)
