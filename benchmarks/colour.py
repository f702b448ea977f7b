"""The recipe Best colour beside the network of PyTorch's CIFAR tutorial, on a data set of one's own pictures.

    python -m cnnlab data add cifar10_images.zip --name cifar-photos --size 32
    python -m benchmarks.colour cifar-photos --minutes 10

The recipe gets as many epochs as take that long on this machine, by the time of a first one. The tutorial's network is
trained as the tutorial does: two epochs, batches of 4. Both hold out the same images, and the test images judge once.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from cnnlab.data.datasets import DATASETS
from cnnlab.jobs.job import Job
from cnnlab.networks.architecture import Architecture
from cnnlab.networks.layers import Activation, Conv2d, Flatten, Linear, MaxPool2d
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.training.config import MAX_EPOCHS, RunConfig
from cnnlab.training.recipes import RECIPES

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


@dataclass(frozen=True)
class Result:
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


def compare(dataset: str, minutes: float, precision: str = "float32", seed: int = 0) -> list[Result]:
    """Train the tutorial's network, then the recipe for some ``minutes``; return both with their test accuracy.

    Raises RuntimeError where a training fails.
    """
    common = {"dataset": dataset, "precision": precision, "seed": seed}
    recipe = RECIPES["best-colour"].config.model_copy(update=common)
    first = _trained("", recipe.model_copy(update={"epochs": 1}))
    epochs = min(MAX_EPOCHS, max(1, int(60 * minutes / first.seconds)))
    return [
        _trained(TUTORIAL_NETWORK.title, tutorial(dataset).model_copy(update=common)),
        _trained(RECIPES["best-colour"].title, recipe.model_copy(update={"epochs": epochs})),
    ]


def table(results: list[Result]) -> str:
    """Write the results as a Markdown table."""
    rows = [
        f"| {result.title} | {result.epochs} | {result.seconds:.0f} | {100 * result.test_accuracy:.2f} |"
        for result in results
    ]
    return "\n".join(["| training | epochs | seconds | test accuracy, % |", "|---|---|---|---|", *rows])


def _trained(title: str, config: RunConfig) -> Result:
    job = Job.start(config, RunStore(runs_folder()))
    job.join()
    summary = job.summary
    if summary.test_accuracy is None or summary.seconds is None:
        raise RuntimeError(job.error)
    return Result(title, config.epochs, summary.seconds, summary.test_accuracy)


def main() -> None:
    """Print the table for the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    if asked.dataset not in DATASETS:
        parser.error(f"there is no data set {asked.dataset!r}: choose one of {', '.join(DATASETS)}")
    print(table(compare(DATASETS[asked.dataset].name, asked.minutes, asked.precision, asked.seed)))


if __name__ == "__main__":
    main()
