"""A class of pictures that another data set lends to a user's own: what is none of its classes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from cnnlab.data.datasets import DATASETS
from cnnlab.data.download import is_present
from cnnlab.data.loading import load_train
from cnnlab.data.pictures.adding import Progress
from cnnlab.data.pictures.features import Pixels
from cnnlab.data.pictures.growing import Newcomers, grow
from cnnlab.data.pictures.store import Library
from cnnlab.data.pictures.version import PictureSetError, Version
from cnnlab.data.pictures.writing import to_grey
from cnnlab.data.spec import DatasetSpec
from cnnlab.data.splits import Split
from cnnlab.networks.layers import Shape

AT_ONCE = 64  # images fitted together: in floating point they are four times as many bytes


def lenders(version: Version) -> list[DatasetSpec]:
    """List the data sets on this machine that have a class which ``version`` has not, those most like it first."""
    found = [spec for spec in DATASETS.values() if not _is_of(spec, version) and _foreign(spec, version)]
    return sorted(
        filter(lambda spec: is_present(spec.name), found),
        key=lambda spec: (spec.shape[0] != version.channels, spec.is_drawn != version.is_drawn),
    )


def usual_count(library: Library, version: Version) -> int:
    """Count the pictures of the median class."""
    return int(median(Counter(row.label for row in library.rows(version)).values()))


def borrow(
    library: Library, version: Version, spec: DatasetSpec, name: str, seed: int = 0
) -> Generator[Progress | Version]:
    """Add a class ``name`` of random training pictures of another data set, as many as the median class has.

    Classes that both have lend none. Tells of progress; the last is the new version. Raises as ``grow`` and ``load``.
    """
    classes = _foreign(spec, version)
    if not classes:
        raise PictureSetError(f"{spec.title} has no class that {version} has not: choose another data set")
    count = usual_count(library, version)
    yield Progress("reading", 0, count)
    split = load_train(spec.name)
    lent = torch.isin(split.labels, torch.tensor(classes)).nonzero().flatten()
    chosen = lent[_sample(split.labels[lent], count, seed)]
    part = split.part(chosen)
    source = spec.name.partition("@")[0]
    groups = np.arange(len(part)) if part.groups is None else np.unique(part.groups.numpy(), return_inverse=True)[1]
    newcomers = Newcomers(
        images=Fitted(part, version.shape),
        paths=[f"{name}/{source}-{number}" for number in chosen.tolist()],
        groups=groups,
        width=spec.shape[2],
        height=spec.shape[1],
    )
    yield from grow(library, version, name, newcomers, seed)


class Fitted:
    """Images of a split, brought to another shape where they are looked at."""

    def __init__(self, split: Split, shape: Shape) -> None:
        self._split, self._shape = split, shape

    def __len__(self) -> int:
        return len(self._split)

    def __getitem__(self, at: Any) -> Pixels:
        """Fit the images of a slice."""
        parts = self._split.part(at).split(AT_ONCE)
        fitted: Pixels = torch.cat([_fitted(images, self._shape) for images in parts]).numpy()
        return fitted


def _fitted(images: Tensor, shape: Shape) -> Tensor:
    """Bring images (N, C, H, W) to a shape: colour becomes grey, grey is repeated."""
    channels, height, width = shape
    if images.shape[1] > channels:
        images = torch.from_numpy(to_grey(images.numpy()))
    values = images.float()
    if images.shape[2:] != (height, width):
        values = F.interpolate(values, (height, width), mode="bilinear", antialias=True)
    return values.round().clamp(0, 255).byte().expand(-1, channels, -1, -1)


def _is_of(spec: DatasetSpec, version: Version) -> bool:
    """Tell whether a data set is a version of the same one."""
    return bool(spec.digest) and spec.name.partition("@")[0] == version.name


def _foreign(spec: DatasetSpec, version: Version) -> list[int]:
    """List the classes, by their numbers, that a data set has and ``version`` has not."""
    own = {name.casefold() for name in version.classes}
    return [number for number, name in enumerate(spec.classes) if name.casefold() not in own]


def _sample(labels: Tensor, count: int, seed: int) -> npt.NDArray[np.int64]:
    """Choose ``count`` at random, the same share of every class as nearly as can be; ascending."""
    rng = np.random.default_rng(seed)
    of_class = labels.numpy()
    places = np.empty(len(of_class))  # those of a class are spread evenly over 0…1
    for label in np.unique(of_class):
        members = np.flatnonzero(of_class == label)
        places[members] = (rng.permutation(len(members)) + rng.random()) / len(members)
    return np.sort(np.argsort(places, kind="stable")[:count])
