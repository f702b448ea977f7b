"""Images a second: the loop against a tutorial's, and against its ceiling."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import torch.nn.functional as F
from torch.utils.data import Dataset

from cnnlab.bench import tutorial
from cnnlab.bench.rounds import Effort, Report, Rows, Say, Terms, alone, in_turn, ratio
from cnnlab.data.batches import Standardise, scaling
from cnnlab.data.loading import Data
from cnnlab.networks.build import seed_dropout
from cnnlab.training.config import RunConfig
from cnnlab.training.device import Accelerator, choose_device
from cnnlab.training.loop import fit
from cnnlab.training.optimizer import make_optimizer
from cnnlab.training.recipes import RECIPES
from cnnlab.training.run_data import load_for, network_for

NETWORKS = tuple(name for name, recipe in RECIPES.items() if recipe.claim)


def measure(terms: Terms, say: Say) -> Report:
    """Measure the loop of each tutorial's network. Raises DatasetError where MNIST or Fashion-MNIST is missing."""
    report = {}
    for name in NETWORKS:
        say(f"loop: {name}")
        config = RECIPES[name].config.model_copy(update={"precision": terms.precision})
        report[name] = alone(_loop, config, terms.effort, terms.folder)
    return report


def rows(report: Report) -> Rows:
    """Return the lines of a table."""
    figures = [(name, f"{row['vs_tutorial']:.2f}", f"{row['vs_ceiling']:.3f}") for name, row in report.items()]
    return [("loop, images/s", "ours / tutorial", "ours / ceiling"), *figures]


def _loop(config: RunConfig, effort: Effort, folder: Path | None) -> Report:
    """Measure images a second: ours against the tutorial's loop, and against the step alone on one cached batch."""
    count = effort.loop_images
    once = config.model_copy(update={"epochs": 1})
    whole = load_for(config, folder)
    data = replace(whole, train=whole.train.part(slice(count)), validation=whole.validation.part(slice(1)))
    with tutorial.training_set(config, folder) as images:
        sides = {
            "ours": lambda: count / seconds_of(fit(network_for(once, data.spec), data, once)),
            "ceiling": lambda: count / seconds_of(bare_steps(once, data, count)),
            "tutorial": lambda: count / seconds_of(_tutorial_steps(once, data, images, count)),
        }
        rounds = in_turn(sides, effort.rounds)
    return {"vs_tutorial": ratio(rounds, "ours", "tutorial"), "vs_ceiling": ratio(rounds, "ours", "ceiling")}


def seconds_of(steps: Iterator[object]) -> float:
    """Return the seconds of all steps behind the first."""
    next(steps)  # work before the first step is no part of the loop
    start = perf_counter()
    for _ in steps:
        pass
    return perf_counter() - start


def _tutorial_steps(config: RunConfig, data: Data, images: Dataset[Any], count: int | None = None) -> Iterator[int]:
    return tutorial.train(network_for(config, data.spec), images, config, choose_device("auto"), count)


def bare_steps(config: RunConfig, data: Data, count: int) -> Iterator[None]:
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
