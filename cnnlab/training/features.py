"""The outputs of a network's frozen layers, computed once for each image and kept on disk for every later training."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from math import prod
from pathlib import Path
from shutil import disk_usage, rmtree

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from cnnlab.data.batches import Standardise
from cnnlab.data.folders import cache_folder
from cnnlab.data.mapping import MappedRows
from cnnlab.data.splits import Split, fingerprints
from cnnlab.errors import CnnLabError
from cnnlab.files import exclusive, is_older
from cnnlab.networks.architecture import LayerSummary
from cnnlab.networks.layers import Shape
from cnnlab.training.device import Accelerator
from cnnlab.training.variants import Change

AT_ONCE = 32  # images through the frozen layers; larger batches are no faster on a CPU
KEPT_BYTES = 10 * 10**9  # of the features of all networks; the oldest go first
SPARE_BYTES = 10**9  # of disk that are left to others
IN_USE = timedelta(hours=12)  # a training that began later may still read them
NUMBER = np.dtype(np.float16)

Prints = npt.NDArray[np.uint64]
Look = Callable[[Tensor], Tensor]  # uint8 images (N, C, H, W) → features (N, …)


class FeaturesError(CnnLabError):
    """Features that cannot be kept; the message says why and what to do."""


class FeatureCache:
    """The features of images by the images' contents, in a folder of one frozen network.

    Both files only grow. The prints are written last: features without one, of a process that was killed, are
    overwritten by the next.
    """

    def __init__(self, folder: Path, shape: Shape) -> None:
        self.folder, self.shape = folder, shape
        self._prints, self._features = folder / "images.u64", folder / "features.f16"
        self._bytes = prod(shape) * NUMBER.itemsize  # of an image's features
        folder.mkdir(parents=True, exist_ok=True)

    def prints(self) -> Prints:
        """Return the fingerprints of the images whose features are kept, in their order."""
        if not (self._prints.exists() and self._features.exists()):
            return np.empty(0, np.uint64)
        whole = min(self._prints.stat().st_size // 8, self._features.stat().st_size // self._bytes)
        return np.fromfile(self._prints, np.uint64, count=whole)

    def add(self, prints: Prints, features: Tensor) -> None:
        """Append the features (N, …) of images. Raises FeaturesError where the disk does not take them."""
        with _kept_in(self.folder), exclusive(self.folder):
            count = len(self.prints())
            for path, size, content in (
                (self._features, self._bytes, features.to(torch.float16).cpu().contiguous().numpy()),
                (self._prints, 8, prints),
            ):
                with path.open("r+b" if path.exists() else "wb") as file:
                    file.truncate(count * size)
                    file.seek(count * size)
                    file.write(content.tobytes())

    def mapped(self) -> MappedRows:
        """Map all features (M, …) float16 into memory, where they are read as they are looked at."""
        return MappedRows(self._features, torch.float16, (len(self.prints()), *self.shape))


@dataclass(frozen=True)
class Source:
    """Images of a split, changed or not, whose features are wanted."""

    split: Split
    change: Change | None = None


class FeatureWork:
    """The work of computing features that are not kept yet; iterate it for how many images are done."""

    def __init__(self, cache: FeatureCache, look: Look, sources: list[Source]) -> None:
        self._cache, self._look, self._sources = cache, look, sources
        self._known = set(cache.prints().tolist())
        self._found: list[Prints] = []
        self.images = sum(len(source.split) for source in sources)
        self.computed = 0  # of these, in this work

    def __iter__(self) -> Iterator[int]:
        done = 0
        for source in self._sources:
            own: list[Prints] = []
            for images in _parts(source):
                prints = fingerprints(images)
                own.append(prints)
                for chosen in self._unknown(prints).split(AT_ONCE):
                    self._cache.add(prints[chosen.numpy()], self._look(images[chosen]))
                    self.computed += len(chosen)
                    yield done
                self._known.update(prints.tolist())
                done += len(images)
                yield done
            self._found.append(np.concatenate(own))

    def _unknown(self, prints: Prints) -> Tensor:
        """Return the places (N,) of images whose features are not kept, of equal ones the first."""
        _, first = np.unique(prints, return_index=True)
        return torch.tensor([place for place in sorted(first.tolist()) if int(prints[place]) not in self._known]).long()

    def splits(self) -> list[Split]:
        """Return the features of each source as a split, mapped from disk, once all are computed."""
        mapped, kept = self._cache.mapped(), self._cache.prints()
        order = np.argsort(kept, kind="stable")
        rows = [torch.from_numpy(order[np.searchsorted(kept, found, sorter=order)]) for found in self._found]
        return [
            Split(mapped.rows, source.split.labels, chosen, source.split.groups, mapped)
            for source, chosen in zip(self._sources, rows, strict=True)
        ]


def _parts(source: Source) -> Iterator[Tensor]:
    """Yield a source's images a few hundred at a time, changed."""
    size = 8 * AT_ONCE
    for images, labels in zip(source.split.split(size), source.split.labels.split(size), strict=True):
        yield source.change(images, labels) if source.change else images


def feature_work(
    frozen: nn.Sequential,
    rows: Sequence[LayerSummary],
    standardise: Standardise,
    accelerator: Accelerator,
    sources: list[Source],
    kept_in: Path | None = None,
) -> FeatureWork:
    """Prepare to compute what frozen layers, summarised by ``rows``, make of all images of ``sources``.

    They are kept in a folder of ``kept_in``, by default of that of all trainings. Raises FeaturesError where the disk
    has too little room.
    """
    frozen.eval()
    kinds = "".join(row.layer.model_dump_json() for row in rows)
    key = f"{kinds}{rows[0].input_shape}{standardise.scale}{accelerator.precision}"
    images = sum(len(source.split) for source in sources)
    cache = _cache_of(frozen, key, rows[-1].output_shape, images, kept_in or cache_folder() / "features")

    def look(images: Tensor) -> Tensor:
        pixels = standardise.inputs(images.to(accelerator.device)).contiguous(memory_format=accelerator.layout)
        with torch.inference_mode(), accelerator.autocast():
            features: Tensor = frozen(pixels)  # (N, C, H, W) → (N, …)
        return features

    return FeatureWork(cache, look, sources)


def _cache_of(trunk: nn.Sequential, key: str, shape: Shape, images: int, caches: Path) -> FeatureCache:
    """Open the cache, among ``caches``, of frozen layers whose outputs have ``shape``, with room for ``images``.

    ``key`` says all that the outputs depend on beside weights and kinds of layers. Raises FeaturesError where the disk
    has too little room.
    """
    digest = sha256(f"{key}\n{trunk}\n".encode())
    for name, tensor in trunk.state_dict().items():
        digest.update(f"{name} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.cpu().contiguous().view(-1).view(torch.uint8).numpy())
    folder = caches / digest.hexdigest()[:32]
    needed = images * prod(shape) * NUMBER.itemsize
    with _kept_in(folder):
        _make_room(folder, needed)
        cache = FeatureCache(folder, shape)
        free = disk_usage(folder).free - SPARE_BYTES
    if needed > free:
        raise FeaturesError(
            f"the features of {images:,} images take {needed / 1e9:.1f} GB, and {max(free, 0) / 1e9:.1f} GB of disk "
            "are free: let fewer layers learn, take fewer images or copies, or set feature_copies to 0"
        )
    return cache


@contextmanager
def _kept_in(folder: Path) -> Iterator[None]:
    """Turn an error of a network's ``folder`` into FeaturesError, which says what to do."""
    try:
        yield
    except OSError as error:
        raise FeaturesError(
            f"features cannot be kept in {folder.parent} ({error.strerror or error}): make room or allow it there, or "
            "name another folder with CNNLAB_CACHE"
        ) from error


def _make_room(folder: Path, needed: int) -> None:
    """Mark ``folder`` as used last and delete the features used longest ago where all exceed their bound."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.touch()
    others = sorted((path for path in folder.parent.iterdir() if path != folder), key=lambda path: path.stat().st_mtime)
    total = needed + sum(file.stat().st_size for other in others for file in other.iterdir())
    for other in others:
        if total <= KEPT_BYTES or not is_older(other, IN_USE):
            return
        total -= sum(file.stat().st_size for file in other.iterdir())
        rmtree(other, ignore_errors=True)
