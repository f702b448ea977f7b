"""Training on 100,000 big pictures that lie on disk: speed against the step alone, and memory against the estimate.

Needs ``cifar10_images.zip`` in the folder of data sets, of whose photos the pictures are made, and 21 GB of disk.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Any
from zipfile import ZipFile

import numpy as np
import numpy.typing as npt
import psutil
import torch
from PIL import Image

from benchmarks.pictures import photo_archive, pictures_in
from cnnlab.bench.loop import bare_steps, seconds_of
from cnnlab.bench.machine import machine
from cnnlab.bench.rounds import alone, in_turn, ratio
from cnnlab.data.datasets import DATASETS, own_pictures
from cnnlab.data.loading import Data, load
from cnnlab.data.pictures.store import features_name, previews_name
from cnnlab.data.pictures.version import Contents, Row, Version, digest_of, now
from cnnlab.data.pictures.writing import write_features, write_pixels
from cnnlab.networks.presets import PRESETS
from cnnlab.training.config import RunConfig
from cnnlab.training.device import threads_each
from cnnlab.training.loop import fit
from cnnlab.training.memory import needs
from cnnlab.training.run_data import network_for

SIDES = (128, 224)  # pixels
NETWORKS = ("lean", "colour", "small-resnet")
PICTURES = 100_000
PHOTOS = 2_000  # of which they are made, by turns
CLASSES = 10
TRAINED = {"lean": 1_280, "colour": 512, "small-resnet": 512}  # pictures, from all over the file, in a round
ROUNDS = 5
BATCH = 64
MEMORY_STEPS = 12
VALIDATED = 2_000  # pictures

Figures = dict[str, Any]
Pixels = npt.NDArray[np.uint8]


def measure(sides: tuple[int, ...] = SIDES) -> Figures:
    """Return for each side and network images a second against the step alone, and memory against the estimate."""
    found: Figures = {"machine": machine("auto"), "speed": {}, "memory": {}}
    for side in sides:
        with tempfile.TemporaryDirectory() as folder, pictures_in(Path(folder)):
            version = _many(side)
            for name in NETWORKS:
                what = f"{name}, {side} px"
                found["speed"][what] = alone(_speed, version, name)
                found["memory"][what] = _memory(version, name)
                print(what, found["speed"][what], found["memory"][what], flush=True)
    return found


def _many(side: int) -> Version:
    """Write ``PICTURES`` of that side as a version, from photos that are scaled."""
    library, shape = own_pictures(), (3, side, side)
    rows = [
        Row(
            path=f"{number}.jpg",
            label=number % CLASSES,
            split="test" if number < CLASSES else "train",
            row=number,
            group=number,
            width=side,
            height=side,
            digest="",
            hash=0,
            preview=0,
            preview_bytes=0,
            note="",
        )
        for number in range(PICTURES)
    ]
    is_train = np.array([row.split == "train" for row in rows])
    with library.aside() as folder:
        (folder / "previews").touch()
        pixels, mean, std = write_pixels(folder, islice(_scaled(side), PICTURES), shape, is_train)
        (folder / "previews").rename(folder / previews_name(pixels))
        write_features(folder / features_name(pixels), np.zeros((PICTURES, 1), np.float16))
        classes = tuple(f"class {number}" for number in range(CLASSES))
        version = Version(
            name=f"big-{side}",
            number=1,
            title=f"Big {side}",
            classes=classes,
            channels=3,
            size=side,
            fit="squash",
            train=int(is_train.sum()),
            test=int((~is_train).sum()),
            mean=mean,
            std=std,
            digest=digest_of(rows, classes, pixels),
            pixels=pixels,
            created=now(),
        )
        library.settle(folder, version, rows, Contents((), ()))
    return library.versions(version.name)[0]


def _scaled(side: int) -> Iterator[Pixels]:
    """Yield photos (1, 3, side, side) for ever."""
    with ZipFile(photo_archive()) as file:
        names = [name for name in file.namelist() if name.startswith("train/") and name.endswith(".jpg")][:PHOTOS]
        photos = [Image.open(BytesIO(file.read(name))).convert("RGB").resize((side, side)) for name in names]
    yield from cycle([np.asarray(photo).transpose(2, 0, 1)[None] for photo in photos])


def _config(version: Version, name: str) -> RunConfig:
    return RunConfig(
        dataset=version.key, architecture=PRESETS[name], epochs=1, batch_size=BATCH, augmentation="flip", threads=0
    )


def _speed(version: Version, name: str) -> Figures:
    """Measure images a second: the loop with pictures in the system's cache and without, and the step alone."""
    config, count = _config(version, name), TRAINED[name]
    whole = load(config.dataset)
    data = replace(whole, validation=whole.validation.part(slice(1)))
    draws = torch.Generator().manual_seed(0)

    def some() -> Data:
        """Choose other pictures each time, from all over the file."""
        chosen = torch.randperm(len(whole.train), generator=draws)[:count]
        return replace(data, train=whole.train.part(chosen))

    def read() -> float:
        parts = some()
        for part in parts.train.split(BATCH):
            part.sum()
        return count / seconds_of(fit(network_for(config, data.spec), parts, config))

    def unread() -> float:
        forget_files(own_pictures().folder)
        return count / seconds_of(fit(network_for(config, data.spec), some(), config))

    sides = {"read": read, "unread": unread, "ceiling": lambda: count / seconds_of(bare_steps(config, data, count))}
    rounds = in_turn(sides, ROUNDS)
    return {
        "ours": median(row["unread"] for row in rounds),
        "read": ratio(rounds, "read", "ceiling"),
        "unread": ratio(rounds, "unread", "ceiling"),
    }


def forget_files(folder: Path) -> None:
    """Have the system forget what it read of the files of a folder, so that they are read from disk again."""
    for path in folder.rglob("*.safetensors"):
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _memory(version: Version, name: str) -> Figures:
    """Train in a process of its own and return its MB: at the peak, and what the training took and was said to take."""
    command = [sys.executable, "-m", "benchmarks.big_pictures", version.key, name]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: Figures = json.loads(done.stdout.splitlines()[-1])
    return found


def _train_and_tell(key: str, name: str) -> None:
    """Train some steps and validate on all; print the MB of this process, ``before`` and at its ``peak``."""
    torch.set_num_threads(threads_each())
    config = _config(own_pictures().version(key.partition(":")[0]), name)
    data = load(config.dataset, VALIDATED / PICTURES, train_fraction=BATCH * MEMORY_STEPS / PICTURES)
    network = network_for(config, data.spec)
    before = psutil.Process().memory_info().rss
    for _ in fit(network, data, config):
        pass
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    peak = int(status["VmHWM"].split()[0]) * 1024
    estimate = needs(config, DATASETS[key]).total
    print(json.dumps({"peak": peak / 1e6, "took": (peak - before) / 1e6, "estimate": estimate / 1e6}))


if __name__ == "__main__":
    if len(sys.argv) == 3:
        _train_and_tell(*sys.argv[1:])
    else:
        print(json.dumps(measure(), indent=2))
