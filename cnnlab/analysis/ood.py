"""Whether to doubt an answer: torn between classes, or unlike anything the network learned from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from cnnlab.analysis.nearest import FeatureIndex
from cnnlab.analysis.tsne import penultimate
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
class Familiarity:
    """Where a network's training images lie in its feature space, and from where on an image is far from them."""

    neighbours: FeatureIndex
    far: float  # distance to the tenth nearest
    torn: float  # entropy, nats

    @classmethod
    def of(cls, trained: Trained, data: Data, config: RunConfig) -> Familiarity:
        """Of the run's own training images; the bounds are set on its validation images, which taught it nothing."""
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
    """A network that tells digits from what is none, not trained."""
    return build(PRESETS["compact"], GATE_SHAPE, len(GATE_CLASSES))


def no_digit(images: Tensor) -> Tensor:
    """(N, 1, 28, 28) uint8 → (N,): how much the gate takes each for no digit, as log-odds."""
    logits = predict(_gate(), images, Standardise(DATASETS["mnist-sample"].mean, DATASETS["mnist-sample"].std))
    return logits[:, -1] - logits[:, :-1].logsumexp(1)


@cache
def _gate() -> nn.Sequential:
    network = gate_network()
    network.load_state_dict(load_file(GATE))
    return network.eval()


@dataclass(frozen=True)
class Reading:
    """An answer: the likeliest class, how sure it is, every class's probability, and why to doubt it, if at all."""

    name: str
    certainty: float
    probabilities: tuple[float, ...]
    doubt: str = ""


def read(trained: Trained, image: Tensor, familiar: Familiarity | None = None, suspicion: str = "") -> Reading:
    """What a network reads in an ``image`` (1, C, H, W) uint8.

    Without ``familiar`` only its entropy casts doubt; a ``suspicion`` is doubt from elsewhere.
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


def _reasons(trained: Trained, image: Tensor, probabilities: Tensor, familiar: Familiarity | None) -> Iterator[str]:
    if trained.classes == DIGITS and trained.shape == GATE_SHAPE and no_digit(image).item() > GATE_BOUND:
        yield NO_DIGIT
    if familiar and familiar.is_far(trained, image):
        yield UNLIKE
    if _entropy(probabilities).item() > (familiar.torn if familiar else TORN):
        yield TORN_BETWEEN.format(*(trained.classes[number] for number in probabilities[0].topk(2).indices))


def _few(split: Split) -> Split:
    """At most REFERENCES images, evenly chosen."""
    return split.part(slice(None, None, -(-len(split) // REFERENCES)))


def _varied(split: Split, config: RunConfig, own: str, classes: tuple[str, ...]) -> Tensor:
    """The images once more as training saw them, moved, turned and bent: (N, C, H, W) uint8."""
    augment = augmentation.choose(config.augmentation, own)
    draws = torch.Generator().manual_seed(config.seed)
    pixels = augment(split.images.float() / 255, split.labels, classes, draws)
    return pixels.clamp(0, 1).mul(255).byte()


def _distances(trained: Trained, neighbours: FeatureIndex, images: Tensor) -> Tensor:
    """(N,): how far the tenth nearest training image is."""
    features = penultimate(trained.network, images, trained.inputs)
    return neighbours.query(features, NEIGHBOURS)[0][:, -1]


def _entropy(probabilities: Tensor) -> Tensor:
    """(N, classes) → (N,) in nats."""
    entropy: Tensor = torch.special.entr(probabilities).sum(1)
    return entropy


def _bound(values: Tensor) -> float:
    return float(values.quantile(1 - ALARMS))
