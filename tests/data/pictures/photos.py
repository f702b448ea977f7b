"""Pictures made for tests: plain scenes that differ, and the folders and archives that hold them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import numpy as np
from PIL import Image

from cnnlab.data.pictures.adding import add
from cnnlab.data.pictures.assembling import Added, Options
from cnnlab.data.pictures.sources import open_source
from cnnlab.data.pictures.store import Library


def scene(seed: int, size: int = 40, grey: bool = False) -> Image.Image:
    """A soft picture of random shapes, another for each seed."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (5, 5, 1 if grey else 3), np.uint8).repeat(3 if grey else 1, 2)
    return Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC)


def striped(name: str, seed: int) -> Image.Image:
    """Noisy stripes that lie, or stand where the name is ``up``; others for each seed."""
    rng = np.random.default_rng(seed)
    waves = 128 + 60 * np.sin(np.arange(40) / 1.5 + rng.uniform(0, 6))
    image = waves[:, None] + rng.normal(0, 25, (40, 40))
    return Image.fromarray((image.T if name == "up" else image).clip(0, 255).astype(np.uint8)).convert("RGB")


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def photos(classes: tuple[str, ...] = ("cat", "dog"), each: int = 8, **how: object) -> dict[str, bytes]:
    """Files of a few classes by path, all pictures different."""
    return {
        f"{name}/{chr(97 + number)}.png": saved(scene(100 * at + number, **how))  # type: ignore[arg-type]
        for at, name in enumerate(classes)
        for number in range(each)
    }


def folder_of(files: Mapping[str, bytes], folder: Path) -> Path:
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def zip_of(files: Mapping[str, bytes], path: Path) -> Path:
    with ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def added(path: Path, library: Library, name: str = "photos", **options: object) -> Added:
    """All of ``path`` as a data set."""
    *_, last = walked(path, library, name, **options)
    assert isinstance(last, Added)
    return last


def walked(path: Path, library: Library, name: str = "photos", **options: object) -> Iterator[object]:
    with open_source(path) as source:
        yield from add(source, Options(name=name, **options), library)  # type: ignore[arg-type]
