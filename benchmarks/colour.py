"""The recipe Best colour beside the network of PyTorch's CIFAR tutorial, on a data set of one's own pictures.

The recipe gets as many epochs as take that long on this machine, by the time of a first one. The tutorial's network is
trained as the tutorial does: two epochs, batches of 4. Both hold out the same images, and the test images judge once.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from benchmarks.pictures import added_from, photo_archive, pictures_in
from cnnlab.jobs.job import Job
from cnnlab.networks.architecture import Architecture
from cnnlab.networks.layers import Activation, Conv2d, Flatten, Linear, MaxPool2d
from cnnlab.runs.store import RunStore
from cnnlab.training.config import MAX_EPOCHS, RunConfig
from cnnlab.training.recipes import RECIPES

MINUTES = 10.0

# pytorch.org/tutorials/beginner/blitz/cifar10_tutorial.html
TUTORIAL_NETWORK = Architecture(
    name="cifar-tutorial",
    title="PyTorch's CIFAR tutorial",
    layers=(
        *(
            layer
            for width in (6, 16)
            for layer in (Conv2d(out_channels=width, kernel_size=5), Activation(), MaxPool2d())
        ),
        Flatten(),
        *(layer for width in (120, 84) for layer in (Linear(out_features=width), Activation())),
        Linear(out_features="classes"),
    ),
)


class Result(TypedDict):
    """A training of the benchmark."""

    title: str
    epochs: int
    seconds: float  # of training, validation included
    test_accuracy: float  # fraction


def tutorial(dataset: str) -> RunConfig:
    """Return the tutorial's settings for a data set; it holds out as many images as the recipe."""
    return RunConfig(
        dataset=dataset,
        architecture=TUTORIAL_NETWORK,
        epochs=2,
        batch_size=4,
        optimizer="sgd",
        learning_rate=1e-3,
        momentum=0.9,
        nesterov=False,
        schedule="constant",
        weight_decay=0.0,
        augmentation="none",
        normalise="symmetric",
        validation_fraction=RECIPES["best-colour"].config.validation_fraction,
    )


def measure(minutes: float = MINUTES, seed: int = 0) -> list[Result]:
    """Add the photos of CIFAR-10 as a data set of one's own, and compare on it."""
    with tempfile.TemporaryDirectory() as folder, pictures_in(Path(folder)):
        dataset = added_from(photo_archive(), "cifar-photos").version.key
        return compare(dataset, RunStore(Path(folder) / "runs"), minutes, seed)


def compare(dataset: str, store: RunStore, minutes: float, seed: int) -> list[Result]:
    """Train the tutorial's network, then the recipe for some ``minutes``; return both with their test accuracy.

    Raises RuntimeError where a training fails.
    """
    common = {"dataset": dataset, "seed": seed}
    recipe = RECIPES["best-colour"].config.model_copy(update=common)
    first = _trained("", store, recipe.model_copy(update={"epochs": 1}))
    epochs = min(MAX_EPOCHS, max(1, int(60 * minutes / first["seconds"])))
    return [
        _trained(TUTORIAL_NETWORK.title, store, tutorial(dataset).model_copy(update=common)),
        _trained(RECIPES["best-colour"].title, store, recipe.model_copy(update={"epochs": epochs})),
    ]


def table(results: Sequence[Result]) -> str:
    """Write the results as a Markdown table."""
    rows = [
        f"| {one['title']} | {one['epochs']} | {one['seconds']:.0f} | {one['test_accuracy']:.2%} |" for one in results
    ]
    return "\n".join(["| training | epochs | seconds | test accuracy |", "|---|---|---|---|", *rows])


def _trained(title: str, store: RunStore, config: RunConfig) -> Result:
    job = Job.start(config, store)
    job.join()
    summary = job.summary
    if summary.test_accuracy is None or summary.seconds is None:
        raise RuntimeError(job.error)
    return Result(title=title, epochs=config.epochs, seconds=summary.seconds, test_accuracy=summary.test_accuracy)


if __name__ == "__main__":
    print(table(measure()))
