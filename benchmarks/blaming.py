"""Blamed training images taken out, and trained again: does the answer to a misread image turn?

Errors are test images that three seeds misread. The first seed's run is asked which training images it blames. Without
those, the same three seeds train again; an answer has turned where two of them read the image right. The controls take
out as many: drawn at random, the nearest, the nearest of the wrong class. Answers are kept in the folder of caches, so
that a measurement that was ended goes on where it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from hashlib import blake2s
from itertools import islice
from pathlib import Path
from statistics import mean
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from cnnlab.analysis.activations import penultimate
from cnnlab.analysis.blame import CHECKPOINTS, COUNT, Influence, influence, trained_rows
from cnnlab.analysis.nearest import FeatureIndex
from cnnlab.data.batches import Standardise, scaling
from cnnlab.data.datasets import dataset_spec
from cnnlab.data.folders import cache_folder
from cnnlab.data.loading import Data, load_train
from cnnlab.evaluation.evaluate import predict
from cnnlab.evaluation.metrics import interval
from cnnlab.evaluation.significance import mcnemar
from cnnlab.files import atomic_write
from cnnlab.jobs.job import Job
from cnnlab.jobs.worker import completed
from cnnlab.quantities import p_cell
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.runs.trained import load_trained
from cnnlab.training.config import RunConfig
from cnnlab.training.loop import fit
from cnnlab.training.recipes import DEFAULT, RECIPES
from cnnlab.training.run_data import load_for, network_for

IMAGES = 1000  # that are trained on
ERRORS, DRAWS = 50, 10
SEEDS = (0, 1, 2)
DATASETS = ("mnist", "fashion-mnist")  # the score was chosen on the second
FEW = 100  # validation images: they steer nothing here
BLAMED, NEAREST, OF_WRONG_CLASS = "blamed", "nearest", "nearest of the wrong class"
WAYS = (BLAMED, NEAREST, OF_WRONG_CLASS)
LEAN, QUICK = "Lean, 4,050 images, 6 checkpoints", "Quick, all 58,801 images of MNIST, 1 checkpoint"
RESAMPLED = 10_000

Figures = dict[str, Any]


def measure() -> Figures:
    """Take images out of 1,000 and train again, and time how long naming takes."""
    folder = cache_folder() / "blaming"
    return {"turned": {name: turned(name, folder) for name in DATASETS}, "seconds": naming(RunStore(folder / "runs"))}


def config_of(dataset: str, seed: int, indices: Sequence[int] = ()) -> RunConfig:
    """Return a short training on IMAGES of a data set, without those of ``indices``."""
    fields = dict(RECIPES["quick"].config) | {
        "dataset": dataset,
        "epochs": 6,
        "batch_size": 64,
        "precision": "float32",
        "device": "cpu",
        "threads": 1,
        "train_fraction": IMAGES / 58_800,
        "seed": seed,
        "split_seed": 0,
        "excluded": ",".join(map(str, sorted(indices))),
    }
    return RunConfig.model_validate(fields)


def turned(dataset: str, folder: Path, errors: int = ERRORS, draws: int = DRAWS) -> Figures:
    """Train again without what each way names; return what turned for each error, and at random for each draw."""
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    runs = [_trained(config_of(dataset, seed), RunStore(folder / "runs")) for seed in SEEDS]
    data = load_for(runs[0].config)
    few = replace(data, validation=data.validation.part(slice(FEW)))
    named = torch.stack([load_trained(run).logits(data.test).argmax(1) for run in runs])
    wrong = (named != data.test.labels).all(0).nonzero().flatten()
    chosen = wrong[torch.randperm(len(wrong), generator=torch.Generator().manual_seed(0))[:errors]]
    asked = replace(few, test=data.test.part(chosen))
    known = completed(influence(runs[0]))
    read = partial(_read_right, dataset, asked, folder)
    names = {way: _named(way, known, runs[0], asked) for way in WAYS}
    rows = trained_rows(runs[0].config, load_train(dataset))
    shuffled = [
        rows[torch.from_numpy(np.random.default_rng(draw).permutation(len(rows))[:COUNT])] for draw in range(draws)
    ]
    by_chance = torch.stack([read(one.tolist()) for one in shuffled]).sum(0)
    found = {way: [bool(read(one)[at]) for at, one in enumerate(names[way])] for way in WAYS}
    return {
        "images": len(rows),
        "accuracies": (named == data.test.labels).float().mean(1).tolist(),
        "misread": len(wrong),
        "draws": draws,
        "random": by_chance.tolist(),  # draws that turned each error
        **found,
    }


def _named(way: str, known: Influence, run: Run, asked: Data) -> list[list[int]]:
    """Return the indices of the training images that a way takes out for each image."""
    trained = load_trained(run)
    images, labels = asked.test.images, asked.test.labels.tolist()
    if way == BLAMED:
        return [[one.index for one in known.blamed(images[at : at + 1], label)] for at, label in enumerate(labels)]
    index = FeatureIndex(penultimate(trained.network, known.split, trained.inputs), known.split.labels)
    queries, wrong = penultimate(trained.network, images, trained.inputs), trained.logits(images).argmax(1)
    taken = []
    for query, answer in zip(queries, wrong, strict=True):
        _, nearest = index.query(query[None], COUNT, None if way == NEAREST else int(answer))
        taken.append(known.indices[nearest[0]].tolist())
    return taken


def _read_right(dataset: str, asked: Data, folder: Path, indices: Sequence[int]) -> Tensor:
    """Train all seeds without the images of ``indices``; return which images most of them read right: (N,)."""
    answers = [_answers(config_of(dataset, seed, indices), asked, folder) for seed in SEEDS]
    return (torch.tensor(answers) == asked.test.labels).sum(0) * 2 > len(SEEDS)


def _answers(config: RunConfig, asked: Data, folder: Path) -> list[int]:
    """Train, and return the class named for each test image; kept in a file."""
    key = f"{config.model_dump_json()} {asked.test.labels.tolist()}"
    path = folder / f"{blake2s(key.encode(), digest_size=12).hexdigest()}.json"
    if path.exists():
        kept: list[int] = json.loads(path.read_text(encoding="utf-8"))
        return kept
    data = replace(load_for(config), validation=asked.validation, test=asked.test)
    network = network_for(config, data.spec)
    for _ in fit(network, data, config):
        pass
    scale = Standardise(*scaling(data.spec, config.normalise))
    named: list[int] = predict(network.eval(), data.test, scale).argmax(1).tolist()
    atomic_write(path, json.dumps(named))
    return named


def _trained(config: RunConfig, store: RunStore) -> Run:
    """Train a run, or find the one that was trained before."""
    for run in store.all():
        if run.config == config and run.summary.status == "finished":
            return run
    job = Job.start(config, store)
    job.join()
    if job.error:
        raise RuntimeError(job.error)
    return job.run


def naming(store: RunStore, images: int = 10) -> dict[str, list[float]]:
    """Return the seconds until the images are named, the data set in memory: for a first error, then for others."""
    lean = RECIPES[DEFAULT].config.model_copy(update={"epochs": CHECKPOINTS})  # of its 38 no more are searched
    found = {}
    for title, config in {LEAN: lean, QUICK: RECIPES["quick"].config}.items():
        run = _trained(config, store)
        torch.set_num_threads(1)
        found[title] = list(islice(_seconds(run), images))
    return found


def _seconds(run: Run) -> Iterator[float]:
    data, trained = load_for(run.config), load_trained(run)
    wrong = (trained.logits(data.test).argmax(1) != data.test.labels).nonzero().flatten()
    known = None
    for at in wrong.tolist():
        began = perf_counter()
        known = known or completed(influence(run))
        known.blamed(data.test.image(at)[None], int(data.test.labels[at]))
        yield perf_counter() - began


def table(figures: Figures) -> str:
    """Write the figures as Markdown tables."""
    blocks = [_turned_table(dataset, one) for dataset, one in figures["turned"].items()]
    rows = [
        f"| {title} | {seconds[0]:.1f} s | {1000 * mean(seconds[1:]):.0f} ms |"
        for title, seconds in figures["seconds"].items()
    ]
    naming_table = "\n".join(["| naming, on 1 thread | first image | each other |", "|---|---|---|", *rows])
    return "\n\n".join([*blocks, naming_table])


def _turned_table(dataset: str, one: Figures) -> str:
    errors = len(one[BLAMED])
    chance = np.array(one["random"]) / one["draws"]  # share of the draws that turned each error
    low, high = _resampled(chance)
    rows = [f"| {COUNT} at random, mean of {one['draws']} draws | {chance.mean():.1%} | {low:.1%} to {high:.1%} | |"]
    for way in filter(one.__contains__, (NEAREST, OF_WRONG_CLASS, BLAMED)):
        hits = sum(one[way])
        low, high = interval(hits, errors)
        p = "" if way == BLAMED else f"{p_cell(mcnemar(np.array(one[BLAMED]), np.array(one[way])).p)} "
        rows.append(f"| {COUNT} {way} | {hits / errors:.1%} ({hits}) | {low:.1%} to {high:.1%} | {p}|")
    right = mean(one["accuracies"])
    return "\n".join(
        [
            f"{dataset_spec(dataset).title}, {one['images']:,} training images, {right:.1%} of the test images right, "
            f"{one['misread']:,} misread by all three seeds:\n",
            f"| left out | turned, of {errors} errors | 95 % interval | p, blamed against it (McNemar) |",
            "|---|---|---|---|",
            *rows,
        ]
    )


def _resampled(shares: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Return the 95 % interval of the mean, the errors drawn again."""
    chosen = np.random.default_rng(0).integers(len(shares), size=(RESAMPLED, len(shares)))
    low, high = np.percentile(shares[chosen].mean(1), [2.5, 97.5])
    return float(low), float(high)


if __name__ == "__main__":
    print(table(measure()))
