"""Training on big pictures that lie on disk, 100,000 of 128 px: speed against the step alone, and memory.

Needs ``cifar10_images.zip`` in the folder of data sets, of whose photos the pictures are made, and 8 GB of disk.
"""

from __future__ import annotations

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
import torch
from PIL import Image

from benchmarks.pictures import photo_archive, pictures_in
from cnnlab.bench.loop import bare_steps, seconds_of
from cnnlab.bench.machine import machine
from cnnlab.bench.rounds import alone, in_turn
from cnnlab.data.datasets import dataset_spec, own_pictures
from cnnlab.data.loading import load
from cnnlab.data.pictures.store import features_name, previews_name
from cnnlab.data.pictures.version import Contents, Row, Version, digest_of, now
from cnnlab.data.pictures.writing import write_features, write_pixels
from cnnlab.networks.presets import PRESETS
from cnnlab.training.config import RunConfig
from cnnlab.training.device import threads_each
from cnnlab.training.loop import fit
from cnnlab.training.run_data import network_for

PICTURES = {128: 100_000, 224: 20_000}  # by their side, pixels
PHOTOS = 2_000  # of which they are made, by turns
CLASSES = 10
NETWORKS = ("lean", "colour")
TRAINED = {("lean", 128): 1_280, ("lean", 224): 512, ("colour", 128): 256, ("colour", 224): 128}  # in a round
ROUNDS = 3
BATCH = 64
STEPS, VALIDATED = 12, 2_000  # of the training whose memory is measured; pictures

Figures = dict[str, Any]
Pixels = npt.NDArray[np.uint8]


def measure() -> Figures:
    """Return images a second against the step alone, with pictures from disk and from the system's cache, and MB."""
    found: Figures = {}
    kinds = dict.fromkeys(("float32", machine("auto")["training"].split(", ")[1]))
    for side in PICTURES:
        with tempfile.TemporaryDirectory() as folder, pictures_in(Path(folder)):
            version = _many(side)
            for name in NETWORKS:
                for precision in kinds:
                    config = _config(version, name, precision)
                    row = alone(_speed, config, TRAINED[name, side]) | _memory(config)
                    found[f"{name}, {side} px, {precision}"] = row
                    print(row, flush=True)
    return found


def table(figures: Figures) -> str:
    """Write the figures as Markdown."""
    rows = [
        f"| {what} | {row['unread']:.0f} | {row['unread'] / row['ceiling']:.2f} | {row['read'] / row['ceiling']:.2f} | "
        f"{row['megabytes']:.0f} |"
        for what, row in figures.items()
    ]
    head = (
        "| network | images/s, from disk | / ceiling | from the system's cache / ceiling | memory of the process, MB |"
    )
    return "\n".join([head, "|---" * 5 + "|", *rows])


def _many(side: int) -> Version:
    """Write pictures of that side as a version, from photos that are scaled."""
    library, shape, count = own_pictures(), (3, side, side), PICTURES[side]
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
        for number in range(count)
    ]
    is_train = np.array([row.split == "train" for row in rows])
    with library.aside() as folder:
        (folder / "previews").touch()
        pixels, mean, std = write_pixels(folder, islice(_scaled(side), count), shape, is_train)
        (folder / "previews").rename(folder / previews_name(pixels))
        write_features(folder / features_name(pixels), np.zeros((count, 1), np.float16))
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


def _config(version: Version, name: str, precision: str) -> RunConfig:
    return RunConfig(
        dataset=version.key,
        architecture=PRESETS[name],
        epochs=1,
        batch_size=BATCH,
        augmentation="flip",
        precision=precision,
    )


def _speed(config: RunConfig, count: int) -> Figures:
    """Measure images a second: the loop with pictures in the system's cache and without, and the step alone."""
    whole = load(config.dataset)
    data = replace(whole, validation=whole.validation.part(slice(1)))
    draws = torch.Generator().manual_seed(0)

    def ours(is_read: bool) -> float:
        chosen = torch.randperm(len(whole.train), generator=draws)[:count]  # others each time, from all over the file
        some = replace(data, train=whole.train.part(chosen))
        if is_read:
            for _ in some.train.split(BATCH):
                pass
        else:
            forget_files(own_pictures().folder)
        return count / seconds_of(fit(network_for(config, data.spec), some, config))

    sides = {
        "read": lambda: ours(True),
        "unread": lambda: ours(False),
        "ceiling": lambda: count / seconds_of(bare_steps(config, data, count)),
    }
    rounds = in_turn(sides, ROUNDS)
    return {side: median(row[side] for row in rounds) for side in sides}


def forget_files(folder: Path) -> None:
    """Have the system forget what it read of the files of a folder, so that they are read from disk again."""
    for path in folder.rglob("*.safetensors"):
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _memory(config: RunConfig) -> Figures:
    """Train in a process of its own, and return its MB at the most."""
    command = [sys.executable, "-m", "benchmarks.big_pictures", config.model_dump_json()]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {"megabytes": float(done.stdout.splitlines()[-1])}


def _train_and_tell(text: str) -> None:
    """Train some steps and validate; print the MB of this process at the most."""
    torch.set_num_threads(threads_each())
    config = RunConfig.model_validate_json(text)
    count = dataset_spec(config.dataset).sizes[0]
    data = load(config.dataset, VALIDATED / count, train_fraction=BATCH * STEPS / count)
    for _ in fit(network_for(config, data.spec), data, config):
        pass
    print(peak_bytes() / 1e6)


def peak_bytes() -> int:
    """Return the bytes of memory that this process held at the most."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) * 1024


if __name__ == "__main__":
    _train_and_tell(sys.argv[1])
