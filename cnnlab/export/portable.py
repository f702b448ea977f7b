"""A trained network with all that it needs to answer elsewhere as it does here."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from cnnlab.analysis.ood import TrainingFeatures
from cnnlab.data.datasets import dataset_spec
from cnnlab.data.spec import DatasetSpec
from cnnlab.data.splits import sampled
from cnnlab.errors import CnnLabError
from cnnlab.networks.architecture import Architecture
from cnnlab.runs.ancestry import data_of
from cnnlab.runs.run import Run
from cnnlab.runs.trained import Trained, load_trained, test_split

EXAMPLES = 10
CALIBRATION = 256  # images


class ExportError(CnnLabError):
    """A network that cannot be written in a format, or answers otherwise there; the message says which."""


class NotOpenedError(CnnLabError):
    """A file that this machine cannot open, though another can; the message says what is missing."""


Answer = Callable[[Tensor], Tensor]
"""How a file is asked: pixels (N, C, H, W) uint8 → probabilities (N, classes)."""

Preparation = Literal["drawn", "light-on-dark", "photo"]
"""How a picture becomes the network's input, as ``network_input`` does it."""


def preparation_of(spec: DatasetSpec) -> Preparation:
    """Return how pictures are prepared for the networks of a data set."""
    if spec.is_drawn:
        return "drawn"
    return "light-on-dark" if spec.is_light_on_dark else "photo"


@dataclass(frozen=True)
class Examples:
    """Test images with what the network makes of them: an export checks itself against these."""

    images: Tensor  # (N, C, H, W) uint8
    labels: Tensor  # (N,)
    probabilities: Tensor  # (N, classes)


@dataclass(frozen=True)
class Portable:
    """What every export is made of."""

    run: str  # its id
    title: str
    architecture: Architecture
    trained: Trained
    preparation: Preparation
    familiar: TrainingFeatures
    examples: Examples
    calibration: Tensor  # (N, C, H, W) uint8, validation images whose activations tell the ranges of 8-bit numbers
    dataset: str = ""  # its title
    origin: Run | None = None  # the training that it comes from, where that is known
    accuracy: float | None = None  # on its test images, where that is known of this epoch

    @classmethod
    def of(cls, run: Run, title: str, epoch: int | None = None, familiar: TrainingFeatures | None = None) -> Portable:
        """Take the network of ``run`` after ``epoch``, by default the judged one.

        What its training images look like to it is computed unless given.

        Raises RunError where it cannot be rebuilt, DatasetError where its images are missing.
        """
        trained, spec, data = load_trained(run, epoch), dataset_spec(run.config.dataset), data_of(run)
        return cls(
            run=run.id,
            title=title,
            architecture=run.config.architecture,
            trained=trained,
            preparation=preparation_of(spec),
            familiar=familiar or TrainingFeatures.of(trained, data, run.config),
            examples=_examples(run, trained),
            calibration=sampled(data.validation, CALIBRATION).images,
            dataset=spec.title,
            origin=run,
            accuracy=run.summary.test_accuracy if trained.epoch == run.judged_epoch else None,
        )

    def count_look(self) -> None:
        """Count a look at the run's test images, unless the network was judged on them before: it tells little more."""
        if self.origin and self.accuracy is None:
            self.origin.count_look(self.trained.epoch)

    def description(self) -> dict[str, object]:
        """Describe the network, for JSON, as those need it who prepare its input and read its output."""
        return {
            "title": self.title,
            "run": self.run,
            "epoch": self.trained.epoch,
            "classes": self.trained.classes,
            "shape": self.trained.shape,  # (C, H, W)
            "input": "uint8, 0 to 255; scaling is inside",
            "output": "probabilities; softmax is inside",
            "preparation": self.preparation,
            "examples": {
                "images": b64encode(self.examples.images.numpy().tobytes()).decode(),  # (N, C, H, W) uint8
                "labels": self.examples.labels.tolist(),
                "probabilities": self.examples.probabilities.tolist(),
            },
        }


def _examples(run: Run, trained: Trained) -> Examples:
    """Choose test images of as many classes as possible; reading them does not count as a look: nothing is scored."""
    split = test_split(run)
    order = torch.arange(len(split))
    firsts = [int(order[split.labels == label][0]) for label in split.labels.unique().tolist()]
    others = [number for number in order.tolist() if number not in firsts]
    chosen = torch.tensor([*firsts, *others][:EXAMPLES])
    images = torch.stack([split.image(number) for number in chosen.tolist()])
    return Examples(images, split.labels[chosen], trained.probabilities(images))
