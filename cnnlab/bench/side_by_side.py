"""The engine against typical tutorials, side by side in one process: python -m cnnlab bench.

Every figure is a median over rounds, and each round runs every side, so that a machine that slows down affects all. A
ratio above 1 means that ours is faster. All sides share threads and memory settings.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles
from threading import Event, Thread
from time import perf_counter
from typing import Any, TypeVar

import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn
from torch.utils.data import Dataset

from cnnlab import charts
from cnnlab.bench import tutorial
from cnnlab.data.augmentation import affine
from cnnlab.data.batches import Standardise, scaling
from cnnlab.data.loading import Data, load
from cnnlab.data.torchvision_compat import transforms
from cnnlab.evaluation.evaluate import evaluate
from cnnlab.jobs.job import Job
from cnnlab.networks.build import seed_dropout
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.runs.trained import load_trained
from cnnlab.training.config import RunConfig
from cnnlab.training.device import (
    Accelerator,
    choose_device,
    keep_freed_memory,
    threads_each,
    wait_for,
)
from cnnlab.training.loop import fit
from cnnlab.training.optimizer import make_optimizer
from cnnlab.training.recipes import RECIPES
from cnnlab.training.run_data import load_for, network_for

NETWORKS = tuple(name for name, recipe in RECIPES.items() if recipe.claim)
LIVE_EPOCHS = 8  # of the default training
CHECKS_PER_EPOCH = 10  # tests during an epoch, with the clock stopped

Say = Callable[[str], None]
Report = dict[str, Any]
Result = TypeVar("Result")


@dataclass(frozen=True)
class Effort:
    """The extent of the benchmark: images, rounds and races."""

    rounds: int
    loop_images: int  # for each round and side
    races: tuple[str, ...]
    race_rounds: int
    live_rounds: int
    inferences: int


QUICK = Effort(rounds=3, loop_images=12_800, races=("mnist-98",), race_rounds=1, live_rounds=3, inferences=300)
FULL = Effort(
    rounds=9,
    loop_images=12_800,
    races=("mnist-98", "mnist-99", "fashion-91"),
    race_rounds=3,
    live_rounds=7,
    inferences=1_000,
)


@dataclass(frozen=True)
class Race:
    """A race to the accuracy ``target``: our recipe Quick unchanged, the same shortened to it, or a tutorial."""

    target: float  # accuracy on the test images, a fraction
    tutorial: str
    dataset: str
    epochs: int
    train_fraction: float = 1.0


RACES = {
    "mnist-98": Race(0.98, "basic-cnn", "mnist", epochs=1, train_fraction=0.18),
    "mnist-99": Race(0.99, "seven-step-mnist", "mnist", epochs=1),
    "fashion-91": Race(0.91, "fashion-part-3", "fashion-mnist", epochs=4),
}


def measure(quick: bool, folder: Path | None = None, say: Say = print, precision: str = "auto") -> Report:
    """Run every section of the benchmark, our trainings in ``precision``; ``say`` gets a text for each section.

    Raises DatasetError where MNIST (and for the full benchmark Fashion-MNIST) can neither be read nor downloaded.
    """
    effort = QUICK if quick else FULL
    ours = {"precision": precision}
    keep_freed_memory()
    report: Report = {"loop": {}, "time_to_accuracy": {}}
    for name in NETWORKS:
        say(f"loop: {name}")
        report["loop"][name] = alone(_loop, RECIPES[name].config.model_copy(update=ours), effort, folder)
    for name in effort.races:
        say(f"time to accuracy: {name}")
        report["time_to_accuracy"][name] = alone(_race, RACES[name], effort.race_rounds, folder, precision)
    say("augmentation")
    report["augmentation"] = alone(_augmentation, effort.rounds)
    with tempfile.TemporaryDirectory(prefix="cnnlab-") as runs:
        say("live cost")
        report["live"], run = alone(_live, effort.live_rounds, RunStore(Path(runs)), precision)
        say("inference")
        report["inference"] = alone(_inference, run, effort.inferences)
    return report


def table(report: Report) -> str:
    """Return the report as lines of text."""
    rows = [("loop, images/s", "ours / tutorial", "ours / ceiling")]
    rows += [
        (name, f"{result['vs_tutorial']:.2f}", f"{result['vs_ceiling']:.3f}") for name, result in report["loop"].items()
    ]
    rows.append(("time to accuracy", "tutorial / ours", "seconds"))
    for name, result in report["time_to_accuracy"].items():
        tutorial_s = f"{result['tutorial_s']:.1f}"
        rows.append(
            (f"{name}, recipe Quick", f"{result['quick_ratio']:.1f}", f"{tutorial_s} / {result['quick_s']:.2f}")
        )
        rows.append((f"{name}, Quick shortened", f"{result['ratio']:.1f}", f"{tutorial_s} / {result['ours_s']:.2f}"))
    rows.append(("the rest", "", ""))
    rows.append(("batch augmentation / per-image PIL", f"{report['augmentation']['ratio']:.1f}", ""))
    rows.append(("training watched / headless", f"{report['live']['ratio']:.3f}", ""))
    inference = report["inference"]
    rows.append(("one image, p50 and p95", f"{inference['p50_ms']:.2f} ms", f"{inference['p95_ms']:.2f} ms"))
    return "\n".join(f"{name:36}{first:>18}{second:>18}" for name, first, second in rows)


def alone(section: Callable[..., Result], *arguments: Any) -> Result:
    """Return the section's result, computed in a thread of its own, with which its OpenMP threads end.

    While there are more of them than cores, even idle ones, OpenMP makes all of them wait in a way that halves the
    speed of small steps.
    """
    with ThreadPoolExecutor(1, initializer=torch.set_num_threads, initargs=(threads_each(),)) as thread:
        return thread.submit(section, *arguments).result()


def _in_turn(sides: dict[str, Callable[[], float]], rounds: int) -> list[dict[str, float]]:
    """Return each side's figure in each round, after a round to warm up."""
    return [{name: side() for name, side in sides.items()} for _ in range(rounds + 1)][1:]


def _ratio(rounds: list[dict[str, float]], over: str, under: str) -> float:
    return median(figures[over] / figures[under] for figures in rounds)


def _loop(config: RunConfig, effort: Effort, folder: Path | None) -> Report:
    """Measure images a second: ours against the tutorial's loop, and against the step alone on one cached batch."""
    count = effort.loop_images
    once = config.model_copy(update={"epochs": 1})
    whole = load_for(config, folder)
    data = replace(whole, train=whole.train.part(slice(count)), validation=whole.validation.part(slice(1)))
    with tutorial.training_set(config, folder) as images:
        sides = {
            "ours": lambda: count / _seconds(fit(network_for(once, data.spec), data, once)),
            "ceiling": lambda: count / _seconds(_bare_steps(once, data, count)),
            "tutorial": lambda: count / _seconds(_tutorial_steps(once, data, images, count)),
        }
        rounds = _in_turn(sides, effort.rounds)
    return {"vs_tutorial": _ratio(rounds, "ours", "tutorial"), "vs_ceiling": _ratio(rounds, "ours", "ceiling")}


def _seconds(steps: Iterator[object]) -> float:
    next(steps)  # work before the first step is no part of the loop
    start = perf_counter()
    for _ in steps:
        pass
    return perf_counter() - start


def _tutorial_steps(config: RunConfig, data: Data, images: Dataset[Any], count: int | None = None) -> Iterator[int]:
    return tutorial.train(network_for(config, data.spec), images, config, choose_device("auto"), count)


def _bare_steps(config: RunConfig, data: Data, count: int) -> Iterator[None]:
    """Yield after each forward pass, backward pass and optimiser step on the same batch, set up as in ``fit``."""
    accelerator = Accelerator.of(config)
    device, network = accelerator.device, accelerator.place(network_for(config, data.spec)).train()
    seed_dropout(network, config.seed, device)
    optimizer = make_optimizer(network, config, device)
    batch = data.train.part(slice(config.batch_size)).to(device)
    inputs = Standardise(*scaling(data.spec, config.normalise), device)(batch.images.float() / 255)
    yield
    for _ in range(count // config.batch_size):
        with accelerator.autocast():
            loss = F.cross_entropy(network(inputs), batch.labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    loss.item()


def _race(race: Race, rounds: int, folder: Path | None, precision: str) -> Report:
    """Measure seconds of training until the test accuracy reaches the target; medians over ``rounds`` seeds from 0."""
    whole = RECIPES["quick"].config.model_copy(update={"dataset": race.dataset, "precision": precision})
    short = whole.model_copy(update={"epochs": race.epochs, "train_fraction": race.train_fraction})
    theirs = RECIPES[race.tutorial].config
    with tutorial.training_set(theirs, folder) as images:
        seconds = [
            (
                _our_race(whole, race.target, seed, folder),
                _our_race(short, race.target, seed, folder),
                _tutorial_race(theirs, race.target, seed, images, folder),
            )
            for seed in range(rounds)
        ]
    quick_s, short_s, tutorial_s = (median(column) for column in zip(*seconds, strict=True))
    return {
        "quick_s": quick_s,
        "quick_ratio": tutorial_s / quick_s,
        "ours_s": short_s,
        "tutorial_s": tutorial_s,
        "ratio": tutorial_s / short_s,
    }


def _our_race(config: RunConfig, target: float, seed: int, folder: Path | None) -> float:
    """Return the seconds to the target; a schedule that ends short of it is followed by one twice as long."""
    config = config.model_copy(update={"seed": seed})
    data = load_for(config, folder)
    network = network_for(config, data.spec)
    steps = (event.step * config.batch_size for event in fit(network, data, config) if event.kind == "tick")
    seconds, is_there = _run_to(steps, network, data, config, target)
    if is_there:
        return seconds
    return seconds + _our_race(config.model_copy(update={"epochs": 2 * config.epochs}), target, seed, folder)


def _tutorial_race(config: RunConfig, target: float, seed: int, images: Dataset[Any], folder: Path | None) -> float:
    """Return the seconds to the target, or to the end of the tutorial's training where it stays short of it."""
    torch.manual_seed(seed)  # the loader's shuffling
    config = config.model_copy(update={"seed": seed})
    data = load_for(config, folder)
    network = network_for(config, data.spec)
    steps = tutorial.train(network, images, config, choose_device("auto"))
    return _run_to(steps, network, data, config, target)[0]


def _run_to(
    steps: Iterator[int], network: nn.Module, data: Data, config: RunConfig, target: float
) -> tuple[float, bool]:
    """Return the seconds until ``network`` reaches the target, and whether it did; ``steps`` yields the images seen."""
    device = choose_device("auto")
    test = data.test.to(device)
    standardise = Standardise(*scaling(data.spec, config.normalise), device)
    interval = len(data.train) / CHECKS_PER_EPOCH
    seconds, checks = 0.0, 0
    start = perf_counter()
    for images in steps:
        if images < interval * (checks + 1):
            continue
        wait_for(device)
        seconds += perf_counter() - start
        checks += 1
        if evaluate(network, test, standardise).accuracy >= target:
            return seconds, True
        start = perf_counter()
    wait_for(device)
    seconds += perf_counter() - start
    return seconds, evaluate(network, test, standardise).accuracy >= target


def _augmentation(rounds: int, count: int = 2_048) -> Report:
    """Measure batch augmentation against the same ranges image by image, both from bytes to a network's input."""
    data = load("mnist-sample")
    split = data.train.part(slice(count))
    draws = torch.Generator().manual_seed(0)
    per_image = transforms.Compose(
        [
            lambda image: Image.fromarray(image[0].numpy()),
            transforms.RandomAffine(
                degrees=12,
                translate=(0.08, 0.08),
                scale=(0.85, 1.15),
                shear=11,  # degrees: a slant of 0.2
                interpolation=transforms.InterpolationMode.BILINEAR,
            ),
            transforms.ToTensor(),
        ]
    )

    def ours() -> float:
        start = perf_counter()
        affine(split.images.float().div_(255), split.labels, data.spec.classes, draws)
        return count / (perf_counter() - start)

    def pil() -> float:
        start = perf_counter()
        torch.stack([per_image(image) for image in split.images])
        return count / (perf_counter() - start)

    return {"ratio": _ratio(_in_turn({"ours": ours, "pil": pil}, rounds), "ours", "pil")}


def _live(rounds: int, store: RunStore, precision: str) -> tuple[Report, Run]:
    """Measure the speed of the default run with its charts requested as the page does, against no requests."""
    config = RECIPES["default"].config.model_copy(update={"epochs": LIVE_EPOCHS, "precision": precision})
    last: list[Run] = []

    def speed(watched: bool) -> float:
        job = Job.start(config, store)
        last[:] = [job.run]
        with _watching(job) if watched else _nobody():
            job.join()
        return job.summary.images_per_second or 0.0

    measured = _in_turn({"watched": lambda: speed(True), "headless": lambda: speed(False)}, rounds)
    return {"ratio": _ratio(measured, "watched", "headless")}, last[0]


@contextmanager
def _watching(job: Job) -> Iterator[None]:
    ended = Event()

    def poll() -> None:
        while not ended.wait(charts.LIVE_SECONDS):
            for plot in charts.live(job.history, job.summary.classes).values():
                json.dumps(plot)

    watcher = Thread(target=poll)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


@contextmanager
def _nobody() -> Iterator[None]:
    yield


def _inference(run: Run, count: int) -> Report:
    """Measure the milliseconds from one uint8 image to its probabilities."""
    trained = load_trained(run)
    image = load(run.config.dataset).test.images[:1]
    times = [perf_counter()]
    for _ in range(count + 20):
        trained.probabilities(image)
        times.append(perf_counter())
    milliseconds = [1e3 * (end - begin) for begin, end in pairwise(times[20:])]
    return {"p50_ms": median(milliseconds), "p95_ms": quantiles(milliseconds, n=20)[-1]}
