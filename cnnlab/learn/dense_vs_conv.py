"""A dense and a convolutional network with as many parameters, trained side by side, tested on shifted images."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn

from cnnlab.data.batches import Standardise, scaling
from cnnlab.data.loading import Data
from cnnlab.data.spec import DatasetSpec
from cnnlab.data.splits import Split
from cnnlab.evaluation.evaluate import predict
from cnnlab.learn.guesses import Ask, Guessable, Outcome, leads
from cnnlab.networks.architecture import Architecture, summarise
from cnnlab.networks.build import build
from cnnlab.networks.layers import Activation, AdaptivePool2d, Conv2d, Flatten, Layer, Linear, MaxPool2d, Shape
from cnnlab.networks.presets import PRESETS
from cnnlab.training.config import RunConfig
from cnnlab.training.events import EpochMetrics, Event, Tick
from cnnlab.training.loop import fit
from cnnlab.training.memory import check_memory

FARTHEST = 6  # pixels: the largest shift of the images; beyond it much of a digit leaves the image
GUESSED = 3  # pixels: the shift whose accuracies may be guessed
SIDEWAYS = ((1, 0), (-1, 0), (0, 1), (0, -1))  # right, left, down, up
SHUFFLE_SEED = 28  # of the one permutation applied to all images


def _convolutions(*widths: int) -> list[Layer]:
    return [layer for width in widths for layer in (Conv2d(out_channels=width, padding=1), Activation())]


POOLED = Architecture(
    name="pooled-cnn",
    title="Pooled at the end",
    description="Three 3×3 convolutions. Each of the last maps keeps only its strongest response, at any position.",
    layers=(
        *_convolutions(16),
        MaxPool2d(),
        *_convolutions(32),
        MaxPool2d(),
        *_convolutions(64),
        AdaptivePool2d(pool="max"),
        Flatten(),
        Linear(out_features="classes"),
    ),
)
CONVOLUTIONAL = {"flattened": PRESETS["classification-snippet"], "pooled": POOLED}  # by what follows the convolutions

Ending = Literal["flattened", "pooled"]
Varied = Literal["none", "shift"]  # the training images: a RunConfig's augmentation


@dataclass(frozen=True)
class Terms:
    """Settings of both trainings."""

    ending: Ending = "flattened"  # of the convolutional network
    augmentation: Varied = "none"
    is_shuffled: bool = False  # whether the pixels of all images are shuffled
    epochs: int = 10
    seed: int = 0

    @property
    def config(self) -> RunConfig:
        """Config of both trainings, so that both see the same images in the same order."""
        return RunConfig(
            architecture=CONVOLUTIONAL[self.ending],
            epochs=self.epochs,
            batch_size=64,
            learning_rate=0.003,  # neither has batch norm
            augmentation=self.augmentation,
            seed=self.seed,
        )


@dataclass(frozen=True)
class Contest:
    """Results so far, by network; all but the curves follow at the end."""

    terms: Terms
    done: float
    curves: Mapping[str, tuple[tuple[float, float], ...]]  # accuracy on training and validation images by epoch
    networks: Mapping[str, nn.Module] = field(default_factory=dict)  # on the CPU
    by_shift: Mapping[str, tuple[float, ...]] = field(default_factory=dict)  # test accuracy at shifts of 0, 1, … pixels
    answers: Mapping[str, Tensor] = field(default_factory=dict)  # as ``answers_by_shift`` returns them

    def answer(self, name: str, label: int, right: int, down: int) -> list[float]:
        """Return a network's class probabilities for the first test image of a class, shifted by whole pixels."""
        probabilities: list[float] = self.answers[name][label, FARTHEST + down, FARTHEST + right].tolist()
        return probabilities


class ShufflePixels(nn.Module):
    """Permute the pixels of (N, C, H, W) in one fixed random order, which removes the neighbourhood."""

    order: Tensor

    def __init__(self, pixels: int) -> None:
        super().__init__()
        order = torch.randperm(pixels, generator=torch.Generator().manual_seed(SHUFFLE_SEED))
        self.register_buffer("order", order)

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(2)[..., self.order].view(x.shape)  # (N, C, H·W) before the view


def parameters(architecture: Architecture, spec: DatasetSpec) -> int:
    """Count the parameters of the network for the data set's images."""
    return sum(row.parameters for row in summarise(architecture, spec.shape, len(spec.classes)))


def dense_twin(convolutional: Architecture, spec: DatasetSpec) -> Architecture:
    """Build a dense network with one hidden layer, as wide as brings its number of parameters closest.

    With n pixels, k classes and h hidden units it has h·(n + 1 + k) + k.
    """
    pixels, classes = torch.Size(spec.shape).numel(), len(spec.classes)
    width = max(1, round((parameters(convolutional, spec) - classes) / (pixels + 1 + classes)))
    return Architecture(
        name=f"dense-{width}",
        title=f"Dense, {width} hidden units",
        layers=(Flatten(), Linear(out_features=width), Activation(), Linear(out_features="classes")),
    )


def contestants(ending: Ending, spec: DatasetSpec) -> dict[str, Architecture]:
    """Build the two networks, by name."""
    convolutional = CONVOLUTIONAL[ending]
    return {"dense": dense_twin(convolutional, spec), "convolutional": convolutional}


def contest(terms: Terms, data: Data) -> Generator[Contest]:
    """Train both networks alternately, step by step on the same batches, then test both on shifted images."""
    config, spec = terms.config, data.spec
    check_memory(config, spec)
    networks = {
        name: _network(found, spec.shape, terms, spec) for name, found in contestants(terms.ending, spec).items()
    }
    curves: dict[str, tuple[tuple[float, float], ...]] = dict.fromkeys(networks, ())
    steps = config.epochs * -(-len(data.train) // config.batch_size)
    walks = (_beats(fit(network, data, config)) for network in networks.values())
    for beats in zip(*walks, strict=True):
        for name, event in zip(networks, beats, strict=True):
            if event.kind == "epoch":
                curves[name] += ((event.train_accuracy, event.validation_accuracy),)
        yield Contest(terms, 0.95 * beats[0].step / steps, dict(curves))
    standardise = Standardise(*scaling(spec, config.normalise))
    by_shift = {
        name: accuracy_by_shift(network.cpu().eval(), data.test, standardise) for name, network in networks.items()
    }
    answers = {name: answers_by_shift(network, data) for name, network in networks.items()}
    yield Contest(terms, 1.0, curves, networks, by_shift, answers)


def accuracy_by_shift(network: nn.Module, split: Split, standardise: Standardise) -> tuple[float, ...]:
    """Measure accuracy at shifts of 0 to FARTHEST pixels: the mean over right, left, down and up."""
    return tuple(
        sum(_accuracy(network, moved(split.images, x * far, y * far), split.labels, standardise) for x, y in SIDEWAYS)
        / len(SIDEWAYS)
        for far in range(FARTHEST + 1)
    )


def moved(images: Tensor, right: int, down: int) -> Tensor:
    """Shift images (N, C, H, W) by whole pixels; what leaves the image is lost, what enters is black."""
    height, width = images.shape[2:]
    out = torch.zeros_like(images)
    (to_y, from_y), (to_x, from_x) = _overlap(down, height), _overlap(right, width)
    out[..., to_y, to_x] = images[..., from_y, from_x]
    return out


def ink_lost(images: Tensor, far: int) -> float:
    """Compute the share of ink lost when images (N, C, H, W) shift by ``far`` pixels: the mean over 4 directions."""
    left = torch.stack([moved(images, x * far, y * far).float().sum() for x, y in SIDEWAYS]).mean()
    return 1 - (left / images.float().sum()).item()


def shuffled(images: Tensor) -> Tensor:
    """Permute the pixels of images (N, C, H, W) as ``ShufflePixels`` does."""
    out: Tensor = ShufflePixels(images.shape[2:].numel())(images)
    return out


def answers_by_shift(network: nn.Module, data: Data) -> Tensor:
    """Compute class probabilities for the first test image of each class at every shift.

    Returns (classes, down, right, classes); both shifts go from -FARTHEST to FARTHEST.
    """
    shifts = range(-FARTHEST, FARTHEST + 1)
    firsts = torch.cat([first_of(label, data) for label in range(len(data.spec.classes))])
    images = torch.stack([moved(firsts, right, down) for down in shifts for right in shifts], dim=1)  # (N, S², C, H, W)
    return probabilities(network, images.flatten(0, 1), data).reshape(len(firsts), len(shifts), len(shifts), -1)


def first_of(label: int, data: Data) -> Tensor:
    """Return the first test image of a class: (1, C, H, W)."""
    return data.test.images[data.test.labels == label][:1]


def probabilities(network: nn.Module, images: Tensor, data: Data) -> Tensor:
    """Compute class probabilities of images: (N, C, H, W) uint8 → (N, classes), for networks of a contest."""
    return predict(network, images, Standardise(*scaling(data.spec, Terms().config.normalise))).softmax(1)


def _network(architecture: Architecture, shape: Shape, terms: Terms, spec: DatasetSpec) -> nn.Module:
    network = build(architecture, shape, len(spec.classes), terms.seed)
    # Shuffle within the network, so that images are shifted as pictures, before their neighbourhood is lost.
    return nn.Sequential(ShufflePixels(torch.Size(shape[1:]).numel()), network) if terms.is_shuffled else network


def _beats(events: Iterator[Event]) -> Iterator[Tick | EpochMetrics]:
    """Keep only steps and epochs, whose number is the same for both networks; the other events depend on the clock."""
    for event in events:
        if event.kind in ("tick", "epoch"):
            yield event


def _accuracy(network: nn.Module, images: Tensor, labels: Tensor, standardise: Standardise) -> float:
    return (predict(network, images, standardise).argmax(1) == labels).float().mean().item()


def _overlap(offset: int, length: int) -> tuple[slice, slice]:
    """Compute the slices that a shift along one axis writes to and reads from."""
    return slice(max(offset, 0), length + min(offset, 0)), slice(max(-offset, 0), length - max(offset, 0))


def to_guess(terms: Terms) -> Guessable[Contest]:
    """Ask which network reads more shifted digits."""
    ask = Ask(
        f"flatten {terms}",
        f"The test digits move by {GUESSED} px. Which network reads more of them, and by how many points?",
        ("dense", "convolutional"),
        "By how many points?",
    )

    def outcome(reached: Contest) -> Outcome | None:
        if not reached.by_shift:
            return None
        return Outcome(leads({name: 100 * by_shift[GUESSED] for name, by_shift in reached.by_shift.items()}))

    return Guessable(ask, outcome)
