"""The recipes Transfer beside a network from scratch, on a few of CIFAR-10's photos as a data set of one's own.

Each way is trained on as many pictures a class, of several draws; all are judged by the same test pictures. The time
counts from the files to the trained network: computing features is part of it, judging is not. The features that were
kept from earlier trainings are deleted before each. Each training has a process of its own, so that its memory is.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from shutil import rmtree
from statistics import mean
from time import perf_counter
from typing import TypedDict

from benchmarks.pictures import added_from, photo_archive, pictures_in
from cnnlab.data.datasets import dataset_spec
from cnnlab.data.folders import cache_folder
from cnnlab.jobs.job import Job
from cnnlab.runs.store import RunStore
from cnnlab.training.config import RunConfig
from cnnlab.training.recipes import RECIPES

COUNTS = (10, 20, 50, 100)  # pictures a class
DRAWS = (0, 1, 2)  # seeds
WAYS = {"best-colour": "from scratch", "transfer": "new last layer", "transfer-best": "last blocks too"}


class Result(TypedDict):
    """The trainings of one way with one number of pictures."""

    way: str
    count: int  # pictures a class
    accuracies: list[float]  # on the test pictures, a fraction for each draw
    seconds: list[float]
    megabytes: list[float]  # of the process at most, libraries included, mapped files not


def measure(ways: Iterable[str] = ("transfer", "transfer-best"), counts: Sequence[int] = COUNTS) -> list[Result]:
    """Add the photos of CIFAR-10 as a data set of one's own, and train the ways on few of them."""
    with tempfile.TemporaryDirectory() as folder, pictures_in(Path(folder)):
        dataset = added_from(photo_archive(), "cifar-photos").version.key
        return list(compare(dataset, RunStore(Path(folder) / "runs"), ways, counts))


def compare(dataset: str, store: RunStore, ways: Iterable[str], counts: Sequence[int]) -> Iterator[Result]:
    """Train each way on each number of pictures a class, draw by draw. Raises RuntimeError where a training fails."""
    for way in ways:
        for count in counts:
            found = [_in_own_process(config_of(way, dataset, count, seed), store) for seed in DRAWS]
            accuracies, seconds, megabytes = (list(values) for values in zip(*found, strict=True))
            yield Result(way=WAYS[way], count=count, accuracies=accuracies, seconds=seconds, megabytes=megabytes)


def config_of(way: str, dataset: str, count: int, seed: int) -> RunConfig:
    """Return a recipe's config for ``count`` training pictures of each class, drawn by ``seed``."""
    config, spec = RECIPES[way].config, dataset_spec(dataset)
    left = spec.sizes[0] * (1 - config.validation_fraction)
    share = min(1.0, count * len(spec.classes) / left)
    return config.model_copy(update={"dataset": dataset, "seed": seed, "train_fraction": share})


def table(results: Sequence[Result]) -> str:
    """Write the results as a Markdown table: mean, lowest and highest of the draws."""
    rows = [
        f"| {one['way']} | {one['count']} | {mean(one['accuracies']):.1%} | {min(one['accuracies']):.1%} to "
        f"{max(one['accuracies']):.1%} | {mean(one['seconds']):.1f} | {max(one['megabytes']):.0f} |"
        for one in results
    ]
    head = "| way | pictures a class | test accuracy, mean | draws | seconds | MB at most |"
    return "\n".join([head, "|---|---|---|---|---|---|", *rows])


def _in_own_process(config: RunConfig, store: RunStore) -> tuple[float, float, float]:
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        return process.submit(_trained, config, store).result()


def _trained(config: RunConfig, store: RunStore) -> tuple[float, float, float]:
    """Return test accuracy, seconds and the most megabytes of a training that finds no features kept from before."""
    rmtree(cache_folder() / "features", ignore_errors=True)
    most, began = 0.0, perf_counter()
    job = Job.start(config, store)
    while job.is_running and job.state != "judging":
        job.join(0.02)
        most = max(most, anonymous_megabytes())
    seconds = perf_counter() - began
    job.join()
    if job.summary.test_accuracy is None:
        raise RuntimeError(job.error)
    return job.summary.test_accuracy, seconds, most


def anonymous_megabytes() -> float:
    """Return the memory of this process that no file backs, on Linux."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("RssAnon:")[1].split()[0]) * 1024 / 1e6


if __name__ == "__main__":
    print(table(measure()))
