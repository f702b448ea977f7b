"""Reasons to doubt a prediction: undecided between classes, or out of the training images' distribution."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from math import inf
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from cnnlab.analysis.activations import affordable, logits_and_features, penultimate
from cnnlab.analysis.nearest import FeatureIndex
from cnnlab.data import augmentation
from cnnlab.data.batches import Standardise, batches, prepared_at_once
from cnnlab.data.datasets import DATASETS
from cnnlab.data.loading import Data
from cnnlab.data.splits import Split
from cnnlab.data.table import DIGITS
from cnnlab.evaluation.evaluate import predict
from cnnlab.networks.build import build
from cnnlab.networks.presets import PRESETS
from cnnlab.runs.trained import Trained
from cnnlab.training.config import RunConfig

GATE = Path(__file__).with_name("gate.safetensors")
GATE_CLASSES = (*DIGITS, "no digit")
GATE_SHAPE = (1, 28, 28)
GATE_BOUND = 3.5  # log-odds of "no digit": under 1 % of held-out digits, varied as in training, lie above

REFERENCES = 1000  # training images that an image is compared with
NEIGHBOURS = 10
ALARMS = 0.005  # share of held-out images, varied as in training, that either measure is to doubt
# The same of photos, for distance and for weak evidence: less would catch next to nothing, 4 % together are a nuisance
# that can be borne.
PHOTO_ALARMS = 0.02
TORN = 0.5  # nats of entropy before anything is known of a network; 0.69 is a coin's

NO_DIGIT = "this looks like no digit"
UNLIKE = "unlike anything it learned from"
NO_CLASS = "no class fits it well"
NONE = "none"  # a class of all that is none of the others, in any case of letters
NONE_OF_THEM = "none of the classes"
TORN_BETWEEN = "torn between {} and {}"


@dataclass(frozen=True)
class TrainingFeatures:
    """A network's training images in its feature space, and the bounds beyond which an image is unfamiliar."""

    neighbours: FeatureIndex
    far: float  # distance to the tenth nearest
    torn: float  # entropy, nats
    faint: float = -inf  # the largest logit; below this bound (Vaze et al. 2022, arXiv:2110.06207) no class fits

    @classmethod
    def of(cls, trained: Trained, data: Data, config: RunConfig) -> TrainingFeatures:
        """Index the run's training images; set the bounds on its validation images, which it was not trained on."""
        known = _few(data.train, trained)
        neighbours = FeatureIndex(penultimate(trained.network, known, trained.inputs), known.labels)
        others = _few(data.validation, trained)
        varied = _varied(others, config, data.spec.augmentation, data.spec.classes)
        distances = _tenth_nearest(neighbours, penultimate(trained.network, varied, trained.inputs))
        logits = trained.logits(varied)
        torn = max(TORN, _bound(_entropy(logits.softmax(1)), ALARMS))
        if data.spec.is_drawn:
            return cls(neighbours, _bound(distances, ALARMS), torn)
        return cls(neighbours, _bound(distances, PHOTO_ALARMS), torn, -_bound(-logits.amax(1), PHOTO_ALARMS))


def is_none(label: str) -> bool:
    """Tell whether a class is that of all that is none of the others."""
    return label.lower() == NONE


def gate_network() -> nn.Sequential:
    """Build the untrained network that tells digits from non-digits."""
    return build(PRESETS["compact"], GATE_SHAPE, len(GATE_CLASSES))


def no_digit(images: Tensor) -> Tensor:
    """Compute the gate's log-odds (N,) that each of the images (N, 1, 28, 28) uint8 is no digit."""
    logits = predict(_gate(), images, Standardise(DATASETS["mnist-sample"].mean, DATASETS["mnist-sample"].std))
    return logits[:, -1] - logits[:, :-1].logsumexp(1)


@cache
def _gate() -> nn.Sequential:
    network = gate_network()
    network.load_state_dict(load_file(GATE))
    return network.eval()


@dataclass(frozen=True)
class Reading:
    """A prediction: the likeliest class, its probability, every class's probability, and reasons to doubt it."""

    name: str
    certainty: float
    probabilities: tuple[float, ...]
    doubt: str = ""

    @property
    def said(self) -> str:
        """What a page says: the class, or that it is none of them, where the network has such a class."""
        return NONE_OF_THEM if is_none(self.name) else self.name


def read(trained: Trained, image: Tensor, familiar: TrainingFeatures | None = None, suspicion: str = "") -> Reading:
    """Predict an ``image`` (1, C, H, W) uint8, with reasons to doubt the prediction.

    Without ``familiar`` only the entropy gives a reason; ``suspicion`` is a reason from elsewhere.
    """
    (reading,) = read_all(trained, image, familiar)
    return replace(reading, doubt=suspicion) if suspicion else reading


def read_all(trained: Trained, images: Tensor, familiar: TrainingFeatures | None = None) -> list[Reading]:
    """Predict images (N, C, H, W) uint8 as ``read`` does."""
    passed = [logits_and_features(trained.network, trained.inputs(part)) for part in images.split(trained.at_once)]
    logits, features = (torch.cat(parts) for parts in zip(*passed, strict=True))
    probabilities = logits.softmax(1)
    certainty, best = probabilities.max(1)
    doubts = _doubts(trained, images, logits, features, familiar)
    return [
        Reading(trained.classes[number], sure, tuple(shares), "" if is_none(trained.classes[number]) else doubt)
        for number, sure, shares, doubt in zip(
            best.tolist(), certainty.tolist(), probabilities.tolist(), doubts, strict=True
        )
    ]


def _doubts(
    trained: Trained, images: Tensor, logits: Tensor, features: Tensor, familiar: TrainingFeatures | None
) -> list[str]:
    """Name the first reason to doubt each prediction; empty where there is none."""
    torn = _entropy(logits.softmax(1)) > (familiar.torn if familiar else TORN)
    pairs = logits.topk(2).indices.tolist()
    doubts = [
        TORN_BETWEEN.format(*(trained.classes[number] for number in pair)) if is_torn else ""
        for pair, is_torn in zip(pairs, torn.tolist(), strict=True)
    ]
    if familiar:
        doubts = _told(doubts, logits.amax(1) < familiar.faint, NO_CLASS)
        doubts = _told(doubts, _tenth_nearest(familiar.neighbours, features) > familiar.far, UNLIKE)
    if trained.classes == DIGITS and trained.shape == GATE_SHAPE:
        doubts = _told(doubts, no_digit(images) > GATE_BOUND, NO_DIGIT)
    return doubts


def _told(doubts: list[str], holds: Tensor, reason: str) -> list[str]:
    """Put a stronger ``reason`` in place of others where it ``holds`` (N,)."""
    return [reason if is_so else doubt for doubt, is_so in zip(doubts, holds.tolist(), strict=True)]


def _few(split: Split, trained: Trained) -> Split:
    """Select at most REFERENCES images, evenly spaced."""
    return split.part(slice(None, None, -(-len(split) // affordable(trained.network, REFERENCES))))


def _varied(split: Split, config: RunConfig, own: str, classes: tuple[str, ...]) -> Tensor:
    """Augment the images as training does: (N, C, H, W) uint8."""
    augment = augmentation.choose(config.augmentation, own)
    draws = torch.Generator().manual_seed(config.seed)
    at_once = prepared_at_once(1, split.shape)
    parts = (
        augmentation.unit(augment(images, labels, classes, draws)).clamp(0, 1).mul(255).byte()
        for images, labels in batches(split, at_once)
    )
    return torch.cat(list(parts))


def _tenth_nearest(neighbours: FeatureIndex, features: Tensor) -> Tensor:
    """Compute the distance (N,) of features (N, F) to the tenth nearest training image."""
    return neighbours.query(features, NEIGHBOURS)[0][:, -1]


def _entropy(probabilities: Tensor) -> Tensor:
    """Compute the entropy in nats: (N, classes) → (N,)."""
    entropy: Tensor = torch.special.entr(probabilities).sum(1)
    return entropy


def _bound(values: Tensor, alarms: float) -> float:
    """Return the value that a share ``alarms`` of all lies above."""
    return float(values.quantile(1 - alarms))
