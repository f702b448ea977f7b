"""Computes the results that chapters of Learn open with: python -m benchmarks.make_lessons, some 40 minutes on a core.

Each file in cnnlab/learn/results comes from the chapter's own code. Name files to compute only these again:
``python -m benchmarks.make_lessons ablation-250 transfer-50``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from itertools import product
from json import dumps
from typing import Any, get_args

import torch

from cnnlab.bench.machine import machine
from cnnlab.data.loading import load
from cnnlab.files import atomic_write
from cnnlab.learn import ablation, dense_vs_conv, few_pictures, transfer
from cnnlab.learn.shipped import FOLDER, PER_MILLE, Arm, ContestFile, Made, RepeatsFile, arm_name, contest_name
from cnnlab.training.device import keep_freed_memory, threads_each

USUAL, ALL = ablation.USUAL, get_args(ablation.Part)
ABLATIONS = {250: (ALL, 8), 1000: (USUAL, 5), 2500: (USUAL, 5)}  # by training images: parts to add, seeds
REMOVED_FROM = 250  # training images for which the usual parts are removed from a full training, too
TRANSFERS = (25, 50, 100)  # training images
TRANSFER_SEEDS = 8
COMPARED = few_pictures.Terms(numbers=few_pictures.NUMBERS)


def main() -> None:
    """Compute the files named on the command line, or all."""
    torch.set_num_threads(threads_each())
    keep_freed_memory()
    files = _files()
    for name in sys.argv[1:] or list(files):
        print(f"== {name}", flush=True)
        atomic_write(FOLDER / f"{name}.json", dumps(asdict(files[name]()), separators=(",", ":")) + "\n")


def _files() -> dict[str, Callable[[], ContestFile | RepeatsFile]]:
    """Return what computes each file, by name."""
    contests = [
        dense_vs_conv.Terms(ending, augmentation, is_shuffled)
        for is_shuffled, ending, augmentation in product(
            (False, True), get_args(dense_vs_conv.Ending), get_args(dense_vs_conv.Varied)
        )
    ]
    return {
        **{contest_name(terms): partial(_contest, terms) for terms in contests},
        **{f"ablation-{images}": partial(_ablations, images) for images in ABLATIONS},
        **{f"transfer-{images}": partial(_transfers, images) for images in TRANSFERS},
        f"few-pictures-{COMPARED.dataset}": _comparison,
    }


def _contest(terms: dense_vs_conv.Terms) -> ContestFile:
    reached = _last(dense_vs_conv.contest(terms, load("mnist-sample")))
    return ContestFile(
        made=_made(),
        epochs=terms.epochs,
        seed=terms.seed,
        curves={
            name: [(_short(train), _short(held_out)) for train, held_out in points]
            for name, points in reached.curves.items()
        },
        by_shift={name: list(map(_short, values)) for name, values in reached.by_shift.items()},
        answers={name: (values * PER_MILLE).round().int().tolist() for name, values in reached.answers.items()},
    )


def _ablations(images: int) -> RepeatsFile:
    """Train the plain network, each part added, and where that is wanted, all parts and each removed."""
    parts, seeds = ABLATIONS[images]
    terms = [ablation.Terms("add", parts, images, seeds=seeds)]
    if images == REMOVED_FROM:
        terms.append(ablation.Terms("remove", USUAL, images, seeds=seeds))
    accuracies = {
        arm_name(terms.arms[name]): values
        for terms in terms
        for name, values in _last(ablation.ablate(terms)).accuracies.items()
    }
    return _repeats(terms[0].epochs, accuracies)


def _transfers(images: int) -> RepeatsFile:
    terms = transfer.Terms(images, seeds=TRANSFER_SEEDS)
    return _repeats(terms.epochs, dict(_last(transfer.transfer(terms)).accuracies))


def _comparison() -> RepeatsFile:
    return _repeats(0, dict(_last(few_pictures.compare(COMPARED)).accuracies))


def _repeats(epochs: int, accuracies: dict[str, tuple[float, ...]]) -> RepeatsFile:
    return RepeatsFile(_made(), epochs, [Arm(name, list(map(_short, values))) for name, values in accuracies.items()])


def _short(share: float) -> float:
    return round(share, 6)


def _last(steps: Iterable[Any]) -> Any:
    *_, last = steps
    return last


def _made() -> Made:
    found = machine()
    return Made(datetime.now(UTC).date().isoformat(), found["processor"], found["software"], found["training"])


if __name__ == "__main__":
    main()
