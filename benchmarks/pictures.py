"""Own pictures: adding, the wrong labels that are found, a split that divides scenes, classes of unequal size.

Needs ``cifar10_images.zip`` in the folder of data sets: 15,000 training and 3,000 test photos of CIFAR-10 as JPEG.
"""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from statistics import fmean
from time import perf_counter
from typing import Any, get_args
from zipfile import ZipFile

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from cnnlab.data.datasets import own_pictures
from cnnlab.data.folders import data_folder
from cnnlab.data.pictures.adding import add
from cnnlab.data.pictures.assembling import Added, Options
from cnnlab.data.pictures.checking import LOOKED_THROUGH, known_scenes
from cnnlab.data.pictures.doubtful import contradictions
from cnnlab.data.pictures.features import PatchFeatures
from cnnlab.data.pictures.sources import open_source
from cnnlab.jobs.job import Job
from cnnlab.runs.store import RunStore
from cnnlab.runs.summary import Summary
from cnnlab.training.config import RunConfig
from tests.data.pictures.shots import shots

PHOTOS = 1_000  # whose labels are looked through
FLIPPED = 0.05  # share of wrong labels
SEEDS = range(5)
OBJECTS, SHOTS = 10, 6  # of each class
NEW = 50  # other objects of each class
TEST_SHARE = 0.25
MANY, FEW = 500, 50  # pictures of the larger half of the classes, and of the others
TESTED = 100  # of each class
CONFIG = {"architecture": "quick", "epochs": 60, "batch_size": 64, "augmentation": "flip"}

Pixels = npt.NDArray[np.uint8]
Figures = dict[str, Any]


def measure() -> Figures:
    """Return the seconds of adding all photos, the recall of wrong labels, and accuracies by three ways to test."""
    archive = photo_archive()
    torch.set_num_threads(1)  # as the command and the page do
    with tempfile.TemporaryDirectory() as folder, pictures_in(Path(folder)):
        began = perf_counter()
        added = added_from(archive, "photos")
        seconds = perf_counter() - began
        return {
            "adding": {"pictures": len(added.rows), "seconds": seconds},
            "labels": [_recall(archive, seed) for seed in SEEDS],
            "scenes": _scenes(archive, Path(folder)),
            "balance": _balance(archive, Path(folder)),
        }


def photo_archive() -> Path:
    """Return the archive of photos. Raises SystemExit where it is missing."""
    archive = data_folder() / "cifar10_images.zip"
    if not archive.exists():
        raise SystemExit(f"there is no {archive}: its photos are what is measured")
    return archive


@contextmanager
def pictures_in(folder: Path) -> Iterator[None]:
    """Keep own data sets in ``folder`` until the block ends."""
    before = os.environ.get("CNNLAB_PICTURES")
    os.environ["CNNLAB_PICTURES"] = str(folder / "pictures")
    try:
        yield
    finally:
        os.environ.pop("CNNLAB_PICTURES")
        if before is not None:
            os.environ["CNNLAB_PICTURES"] = before


def added_from(path: Path, name: str, seed: int = 0) -> Added:
    """Add an archive as a data set of 32 pixels."""
    options = Options(name=name, size=32, test_share=TEST_SHARE, seed=seed)
    with open_source(path) as source:
        *_, last = add(source, options, own_pictures())
    assert isinstance(last, Added)
    return last


def _photos(archive: Path, each: int, seed: int) -> dict[str, list[Pixels]]:
    """Read ``each`` photos (3, 32, 32) of every class, others for each seed."""
    with ZipFile(archive) as file:
        names = [name for name in file.namelist() if name.startswith("train/") and name.endswith(".jpg")]
        Random(seed).shuffle(names)
        found: dict[str, list[Pixels]] = {}
        for name in names:
            photos = found.setdefault(name.split("/")[1], [])
            if len(photos) < each:
                photos.append(np.asarray(Image.open(io.BytesIO(file.read(name))).convert("RGB")).transpose(2, 0, 1))
    return found


def _recall(archive: Path, seed: int) -> float:
    """Return the share of wrong labels that is among the first tenth by doubt."""
    photos = _photos(archive, PHOTOS // 10, seed)
    images = np.stack([photo for each in photos.values() for photo in each])
    draw = np.random.default_rng(seed)
    labels = np.arange(len(images)) // (PHOTOS // len(photos))
    wrong = draw.random(len(images)) < FLIPPED
    labels[wrong] = (labels[wrong] + draw.integers(1, len(photos), wrong.sum())) % len(photos)
    features = PatchFeatures(images).describe(images)
    found = contradictions(features, labels, np.arange(len(images)), len(photos))
    first = np.argsort(-found.margins)[: round(LOOKED_THROUGH * len(images))]
    return float(wrong[first].sum() / wrong.sum())


def _scenes(archive: Path, folder: Path) -> Figures:
    """Train on shots of few objects, tested by a split of pictures, by one of scenes, and by new objects."""
    photos = _photos(archive, OBJECTS + NEW, 0)
    taken = {
        f"{name}/object-{chr(97 + number)}-{shot}-x.png": pixels
        for at, (name, each) in enumerate(sorted(photos.items()))
        for number, photo in enumerate(each[:OBJECTS])
        for shot, pixels in enumerate(shots(photo, SHOTS, 100 * at + number))
    }
    new = {
        f"{name}/new-{number}-x.png": shots(photo, 1, number)[0]
        for name, each in photos.items()
        for number, photo in enumerate(each[OBJECTS:])
    }
    order = sorted(taken)
    Random(0).shuffle(order)
    test = set(order[: round(TEST_SHARE * len(order))])
    divided = {f"{'test' if path in test else 'train'}/{path}": pixels for path, pixels in taken.items()}
    fresh = {f"train/{path}": pixels for path, pixels in taken.items()}
    fresh |= {f"test/{path}": pixels for path, pixels in new.items()}
    archives = {
        name: _zip(files, folder / f"{name}.zip")
        for name, files in {"scenes": taken, "pictures": divided, "new": fresh}.items()
    }
    # Every dealing of scenes has others in the test: few scenes say little.
    added = {name: [added_from(path, name, seed) for seed in SEEDS] for name, path in archives.items()}
    known, tested = known_scenes(added["scenes"][0].rows)
    return {
        "accuracy": {
            name: [_trained(one.version.key, folder, seed).test_accuracy for seed, one in zip(SEEDS, each, strict=True)]
            for name, each in added.items()
        },
        "known": known / tested,
        "groups": len({row.group for row in added["scenes"][0].rows}),
    }


def _balance(archive: Path, folder: Path) -> Figures:
    """Train on classes of unequal size by each way to weigh them; return balanced accuracies on as many of each."""
    files: dict[str, Pixels] = {}
    for at, (name, photos) in enumerate(sorted(_photos(archive, MANY + TESTED, 0).items())):
        count = MANY if at % 2 else FEW
        files |= {f"train/{name}/photo-{number}-x.png": photo for number, photo in enumerate(photos[:count])}
        files |= {f"test/{name}/photo-{number}-x.png": photo for number, photo in enumerate(photos[MANY:], MANY)}
    added = added_from(_zip(files, folder / "unequal.zip"), "unequal")
    balances = get_args(RunConfig.model_fields["class_balance"].annotation)
    trained = {
        balance: [_trained(added.version.key, folder, seed, class_balance=balance, epochs=30) for seed in SEEDS]
        for balance in balances
    }
    return {balance: [one.balanced_accuracy for one in each] for balance, each in trained.items()}


def _zip(files: dict[str, Pixels], path: Path) -> Path:
    with ZipFile(path, "w") as archive:
        for name, pixels in files.items():
            file = io.BytesIO()
            Image.fromarray(pixels.transpose(1, 2, 0)).save(file, "PNG")
            archive.writestr(name, file.getvalue())
    return path


def _trained(dataset: str, folder: Path, seed: int, **changed: object) -> Summary:
    config = RunConfig.model_validate({**CONFIG, "dataset": dataset, "seed": seed, **changed})
    job = Job.start(config, RunStore(folder / "runs"))
    job.join()
    if job.summary.test_accuracy is None:
        raise SystemExit(job.error)
    return job.summary


def table(figures: Figures) -> str:
    """Write the figures as Markdown."""
    adding, scenes = figures["adding"], figures["scenes"]
    accuracy, balanced = (
        {name: f"{fmean(values):.1%} ({min(values):.1%}–{max(values):.1%})" for name, values in each.items()}
        for each in (scenes["accuracy"], figures["balance"])
    )
    recalls = figures["labels"]
    rows = [
        ("seconds to add the archive", f"{adding['seconds']:.0f} for {adding['pictures']:,} pictures"),
        ("wrong labels in the first tenth by doubt", f"{fmean(recalls):.0%} ({min(recalls):.0%}–{max(recalls):.0%})"),
        ("test accuracy, shots dealt one by one", accuracy["pictures"]),
        ("test accuracy, as the app splits them", accuracy["scenes"]),
        ("test accuracy, new objects", accuracy["new"]),
        ("test pictures that a split one by one would know", f"{scenes['known']:.0%}"),
        (f"groups found of {10 * OBJECTS}", f"{scenes['groups']}"),
        *((f"balanced accuracy at {MANY}:{FEW}, {name}", value) for name, value in balanced.items()),
    ]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [("", "measured"), ("---", "---"), *rows])


if __name__ == "__main__":
    print(table(measure()))
