"""The effect of fine-tuning on one writer's ten corrections, tested on that writer's other digits and on MNIST.

Needs ``pen_digits.json`` in the folder of data sets: 600 digits that 30 people drew with a pen (UNIPEN train_r01_v07),
a list of objects with the keys ``digit``, ``writer`` and ``strokes`` (a list of lists of ``[x, y]``).
"""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from pathlib import Path
from random import Random
from statistics import mean
from typing import Any, NamedTuple

from benchmarks.drawing import UNREADABLE
from cnnlab.data.datasets import dataset_spec
from cnnlab.data.folders import data_folder
from cnnlab.data.handwriting import drawing_images
from cnnlab.data.loading import load_test
from cnnlab.data.splits import Split
from cnnlab.drawings.strokes import LabelledDrawing, read_labelled_drawings
from cnnlab.jobs.finetuning import fine_tuning
from cnnlab.jobs.job import Job
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.runs.trained import Trained, load_trained
from cnnlab.training.config import RunConfig
from cnnlab.training.recipes import DEFAULT, RECIPES

PLAIN = {"architecture": "basic-cnn", "augmentation": "none", "epochs": 5}  # misreads more writers than the default
NETWORKS = {
    DEFAULT: RECIPES[DEFAULT].config,
    "Basic CNN, plainly trained": RunConfig.model_validate(PLAIN),
}
CORRECTIONS = 10
ENOUGH = 15  # digits of a writer
SPLITS = 1  # random halves of each writer's digits: corrections come from one, the other is for testing
MISREAD = 2  # at least so many misread digits make a misread writer

Figures = dict[str, Any]


class Hand(NamedTuple):
    """A writer's digits by their positions in the file."""

    taught: list[int]
    judged: list[int]
    is_misread: bool


def measure() -> dict[str, Figures]:
    """Return for each network hits before and after on the other digits, points lost on MNIST, and seconds."""
    path = data_folder() / "pen_digits.json"
    if not path.exists():
        raise SystemExit(f"there is no {path}: teaching is measured on its digits")
    content = path.read_bytes()
    lessons, writers = read_labelled_drawings(content), [row["writer"] for row in json.loads(content)]
    with tempfile.TemporaryDirectory() as folder:
        store = RunStore(Path(folder))
        return {name: _figures(_trained(config, store), store, lessons, writers) for name, config in NETWORKS.items()}


def _trained(config: RunConfig, store: RunStore) -> Run:
    job = Job.start(config, store)
    job.join()
    if job.state != "finished":
        raise SystemExit(job.error)
    return job.run


def _figures(parent: Run, store: RunStore, lessons: list[LabelledDrawing], writers: list[str]) -> Figures:
    digits, mnist = drawing_images(lessons, dataset_spec(parent.config.dataset)), load_test("mnist")
    before = _hits(load_trained(parent), digits)
    on_mnist = sum(_hits(load_trained(parent), mnist))
    hands = [hand for seed in range(SPLITS) for hand in _hands(before, writers, seed)]
    falls, seconds, after = [], [], []
    for hand in hands:
        run = _trained(fine_tuning(parent, [lessons[place] for place in hand.taught]), store)
        trained = load_trained(run)
        after.append(_hits(trained, digits))
        falls.append(100 * (on_mnist - sum(_hits(trained, mnist))) / len(mnist))
        seconds.append(run.summary.seconds or 0.0)
        print(f"{len(falls)} of {len(hands)}: fall {falls[-1]:.2f}, {seconds[-1]:.1f} s", flush=True)
    everyone = list(zip(hands, after, strict=True))
    misread = [(hand, hits) for hand, hits in everyone if hand.is_misread]
    return {
        "misread": sum(not hit for place, hit in enumerate(before) if place not in UNREADABLE),
        "digits": len(lessons) - len(UNREADABLE),
        "mnist": on_mnist / len(mnist),
        "taught": _summed([(hand.taught, hits) for hand, hits in everyone], before),
        "further": _summed([(hand.judged, hits) for hand, hits in everyone], before),
        "misread_hands": _summed([(hand.judged, hits) for hand, hits in misread], before),
        "fall_mean": mean(falls),
        "fall_worst": max(falls),
        "seconds": mean(seconds),
    }


def _hits(trained: Trained, split: Split) -> list[bool]:
    hits: list[bool] = trained.answers(split).hits.tolist()
    return hits


def _hands(before: list[bool], writers: list[str], seed: int) -> list[Hand]:
    """Split each writer's digits: misread ones are corrected first, then others until there are ten."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, writer in enumerate(writers):
        if place not in UNREADABLE:
            places[writer].append(place)
    hands = []
    for writer, own in sorted(places.items()):
        if len(own) < ENOUGH:
            continue
        Random(f"{seed} {writer}").shuffle(own)
        half = max(CORRECTIONS, len(own) // 2)
        first, rest = own[:half], own[half:]
        corrected = sorted(first, key=lambda place: before[place])[:CORRECTIONS]
        hands.append(Hand(corrected, rest, sum(not before[place] for place in own) >= MISREAD))
    return hands


def _summed(groups: list[tuple[list[int], list[bool]]], before: list[bool]) -> Figures:
    return {
        "writers": len(groups),
        "images": sum(len(places) for places, _ in groups),
        "before": sum(before[place] for places, _ in groups for place in places),
        "after": sum(after[place] for places, after in groups for place in places),
    }
