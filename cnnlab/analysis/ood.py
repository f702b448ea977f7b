"""Reasons to doubt a prediction: undecided between classes, or out of the training images' distribution."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from cnnlab.analysis.activations import penultimate
from cnnlab.analysis.nearest import FeatureIndex
from cnnlab.data import augmentation
from cnnlab.data.batches import Standardise
from cnnlab.data.datasets import DATASETS, DIGITS
from cnnlab.data.loading import Data
from cnnlab.data.splits import Split
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
TORN = 0.5  # nats of entropy before anything is known of a network; 0.69 is a coin's

NO_DIGIT = "this looks like no digit"
UNLIKE = "unlike anything it learned from"
TORN_BETWEEN = "torn between {} and {}"


@dataclass(frozen=True)
class TrainingFeatures:
    """A network's training images in its feature space, and the bounds beyond which an image is unfamiliar."""

    neighbours: FeatureIndex
    far: float  # distance to the tenth nearest
    torn: float  # entropy, nats

    @classmethod
    def of(cls, trained: Trained, data: Data, config: RunConfig) -> TrainingFeatures:
        """Index the run's training images; set the bounds on its validation images, which it was not trained on."""
        known = _few(data.train)
        neighbours = FeatureIndex(penultimate(trained.network, known.images, trained.inputs), known.labels)
        others = _few(data.validation)
        varied = _varied(others, config, data.spec.augmentation, data.spec.classes)
        distances = _distances(trained, neighbours, varied)
        entropies = _entropy(trained.probabilities(varied))
        return cls(neighbours, _bound(distances), max(TORN, _bound(entropies)))

    def is_far(self, trained: Trained, image: Tensor) -> bool:
        return bool(_distances(trained, self.neighbours, image) > self.far)


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


def read(trained: Trained, image: Tensor, familiar: TrainingFeatures | None = None, suspicion: str = "") -> Reading:
    """Predict an ``image`` (1, C, H, W) uint8, with reasons to doubt the prediction.

    Without ``familiar`` only the entropy gives a reason; ``suspicion`` is a reason from elsewhere.
    """
    probabilities = trained.probabilities(image)
    best = int(probabilities.argmax())
    doubt = next(_reasons(trained, image, probabilities, familiar), "")
    return Reading(
        name=trained.classes[best],
        certainty=float(probabilities[0, best]),
        probabilities=tuple(probabilities[0].tolist()),
        doubt=suspicion or doubt,
    )


def _reasons(
    trained: Trained, image: Tensor, probabilities: Tensor, familiar: TrainingFeatures | None
) -> Iterator[str]:
    if trained.classes == DIGITS and trained.shape == GATE_SHAPE and no_digit(image).item() > GATE_BOUND:
        yield NO_DIGIT
    if familiar and familiar.is_far(trained, image):
        yield UNLIKE
    if _entropy(probabilities).item() > (familiar.torn if familiar else TORN):
        yield TORN_BETWEEN.format(*(trained.classes[number] for number in probabilities[0].topk(2).indices))


def _few(split: Split) -> Split:
    """Select at most REFERENCES images, evenly spaced."""
    return split.part(slice(None, None, -(-len(split) // REFERENCES)))


def _varied(split: Split, config: RunConfig, own: str, classes: tuple[str, ...]) -> Tensor:
    """Augment the images as training does: (N, C, H, W) uint8."""
    augment = augmentation.choose(config.augmentation, own)
    draws = torch.Generator().manual_seed(config.seed)
    pixels = augment(split.images.float() / 255, split.labels, classes, draws)
    return pixels.clamp(0, 1).mul(255).byte()


def _distances(trained: Trained, neighbours: FeatureIndex, images: Tensor) -> Tensor:
    """Compute the distance (N,) to the tenth nearest training image."""
    features = penultimate(trained.network, images, trained.inputs)
    return neighbours.query(features, NEIGHBOURS)[0][:, -1]


def _entropy(probabilities: Tensor) -> Tensor:
    """Compute the entropy in nats: (N, classes) → (N,)."""
    entropy: Tensor = torch.special.entr(probabilities).sum(1)
    return entropy


def _bound(values: Tensor) -> float:
    return float(values.quantile(1 - ALARMS))
