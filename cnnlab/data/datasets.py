"""Data sets: one table, three splits each, images as one uint8 tensor per split."""

from __future__ import annotations

import gzip
from collections import UserDict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from cnnlab.data.folders import pictures_folder
from cnnlab.data.pictures.store import Library
from cnnlab.data.pictures.version import PictureSetError, Version, split_of
from cnnlab.data.splits import Split, stratified
from cnnlab.errors import CnnLabError
from cnnlab.networks.layers import Shape

Array = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.integer[Any]]
Arrays = tuple[Array, Labels, Array, Labels]  # train images (N, C, H, W), labels (N,), test images, labels

DIGITS = tuple("0123456789")
SAMPLE = Path(__file__).parent / "samples" / "mnist-5000.npz"
COLOUR = 3  # channels
SAMPLE_TEST_SEED = 5000  # fixes which tenth of the sample is its test split, whatever a run's seed


class DatasetError(CnnLabError):
    """A data set that cannot be had; the message says why and what to do."""


@dataclass(frozen=True)
class DatasetSpec:
    """What is known of a data set before it is loaded."""

    name: str
    title: str
    classes: tuple[str, ...]
    shape: Shape  # (C, H, W)
    sizes: tuple[int, int]  # images in train (validation is held out of it) and test
    mean: tuple[float, ...]  # per channel, of pixels in 0…1
    std: tuple[float, ...]
    source: str
    licence: str
    augmentation: str  # what suits it, used where a config says "auto"
    is_drawn: bool  # characters, light on dark: what the canvas can draw
    files: tuple[str, ...]  # what must lie in the data folder; IDX files may lie there gzipped
    download_bytes: int  # for a progress bar
    read: Callable[[Path], Arrays] | None = None  # from the data folder
    fetch: Callable[[Path], None] | None = None  # downloads into a folder; None needs no download
    archives: tuple[str, ...] = ()  # downloads that, lying in the folder, save the download
    digest: str = ""  # of a user's own pictures: two versions of equal content have the same
    mapped: Callable[[], tuple[Split, Split]] | None = None  # maps a user's own pictures: train and test

    @property
    def is_light_on_dark(self) -> bool:
        """Tell whether its images are light on black: the standard deviation of the pixels then exceeds their mean."""
        return all(std > mean for mean, std in zip(self.mean, self.std, strict=True))


class Datasets(UserDict[str, DatasetSpec]):
    """All data sets by name: those of the table, and the user's own as ``name@version:digest``, the latest of each.

    An older version of a user's own is found by its name too, and the latest by its name alone.
    """

    def __missing__(self, name: str) -> DatasetSpec:
        try:
            return _own_spec(own_pictures().version(name))
        except PictureSetError as error:
            raise KeyError(name) from error

    def __contains__(self, name: object) -> bool:
        return name in self.data or (isinstance(name, str) and _is_own(name))

    def __iter__(self) -> Iterator[str]:
        yield from self.data
        library = own_pictures()
        for name in library.names():
            with suppress(PictureSetError):  # damaged: Data tells of it
                yield library.version(name).key

    def __len__(self) -> int:
        return sum(1 for _ in self)


def own_pictures() -> Library:
    """Open the user's own data sets."""
    return Library(pictures_folder())


def _is_own(name: str) -> bool:
    try:
        return bool(own_pictures().version(name))
    except PictureSetError:
        return False


@lru_cache(maxsize=256)
def _own_spec(version: Version) -> DatasetSpec:
    return DatasetSpec(
        name=version.key,
        title=str(version),
        classes=version.classes,
        shape=version.shape,
        sizes=(version.train, version.test),
        mean=version.mean,
        std=version.std,
        source=f"your own pictures, from {version.source}",
        licence="yours",
        augmentation="affine" if version.is_drawn else "flip" if version.channels == COLOUR else "shift",
        is_drawn=version.is_drawn,
        files=(),
        download_bytes=0,
        digest=version.digest,
        mapped=partial(_map_own, version),
    )


def _map_own(version: Version) -> tuple[Split, Split]:
    library = own_pictures()
    rows, pixels = library.rows(version), library.pixels(version)
    return split_of(rows, "train", pixels), split_of(rows, "test", pixels)


def dataset_spec(name: str) -> DatasetSpec:
    """Look up a data set by name. Raises DatasetError, with the known names, for any other."""
    try:
        return DATASETS[name]
    except KeyError as error:
        if "@" in name:
            raise DatasetError(str(error.__cause__)) from error
        raise DatasetError(f"unknown data set {name[:60]!r}: choose one of {', '.join(DATASETS)}") from error


def _read_sample(folder: Path) -> Arrays:
    with SAMPLE.open("rb") as opened, np.load(opened, allow_pickle=False) as file:  # which it leaves open if damaged
        images, labels = file["images"][:, None], file["labels"]  # (5000, 1, 28, 28)
    test = stratified(torch.from_numpy(labels), 0.1, SAMPLE_TEST_SEED).numpy()
    return images[~test], labels[~test], images[test], labels[test]


def _idx_files(folder: str, prefixes: tuple[str, str]) -> tuple[str, ...]:
    return tuple(f"{folder}/raw/{p}-{what}" for p in prefixes for what in ("images-idx3-ubyte", "labels-idx1-ubyte"))


_MNIST_FILES = ("train", "t10k")
_LETTER_FILES = ("emnist-letters-train", "emnist-letters-test")


def read_idx(path: Path) -> Array:
    """Read an IDX file of unsigned bytes (LeCun's format), or its gzipped copy, into an array.

    Raises ValueError where the file does not match its header.
    """
    raw = path.read_bytes() if path.exists() else gzip.decompress(path.with_name(f"{path.name}.gz").read_bytes())
    # Header: two zero bytes, 0x08 for unsigned bytes, the number of axes, then each length, big-endian.
    if len(raw) < 4 or raw[:3] != b"\x00\x00\x08":
        raise ValueError(f"{path.name} is no IDX file of bytes")
    axes = raw[3]
    start = 4 + 4 * axes
    shape = tuple(np.frombuffer(raw[4:start], ">i4").tolist())
    return np.frombuffer(raw, np.uint8, offset=start).reshape(shape)


def _read_idx_set(files: tuple[str, ...]) -> Callable[[Path], Arrays]:
    def read(folder: Path) -> Arrays:
        images, labels, test_images, test_labels = (read_idx(folder / file) for file in files)
        return images[:, None], labels, test_images[:, None], test_labels  # (N, 28, 28) → (N, 1, 28, 28)

    return read


def _read_letters(folder: Path) -> Arrays:
    images, labels, test_images, test_labels = _read_idx_set(_idx_files("EMNIST", _LETTER_FILES))(folder)
    # EMNIST is stored with rows and columns swapped, and its letters count from 1.
    return images.swapaxes(2, 3), labels - 1, test_images.swapaxes(2, 3), test_labels - 1


def _torchvision() -> Any:
    """Import torchvision's data sets late: it takes a second that the embedded sample never needs."""
    from cnnlab.data.torchvision_compat import datasets  # noqa: PLC0415

    return datasets


def _read_cifar10(folder: Path) -> Arrays:
    datasets = _torchvision()
    train, test = (datasets.CIFAR10(str(folder), train=train) for train in (True, False))
    return (
        train.data.transpose(0, 3, 1, 2),  # (N, 32, 32, 3) → (N, 3, 32, 32)
        np.array(train.targets),
        test.data.transpose(0, 3, 1, 2),
        np.array(test.targets),
    )


def _read_svhn(folder: Path) -> Arrays:
    datasets = _torchvision()
    train, test = (datasets.SVHN(str(folder), split=split) for split in ("train", "test"))
    return train.data, train.labels, test.data, test.labels


def _read_usps(folder: Path) -> Arrays:
    datasets = _torchvision()
    train, test = (datasets.USPS(str(folder), train=train) for train in (True, False))
    return train.data[:, None], np.array(train.targets), test.data[:, None], np.array(test.targets)


def _fetcher(torchvision_class: str, *variants: dict[str, object]) -> Callable[[Path], None]:
    """Return a function that downloads through torchvision, with checksums; each variant is a constructor call."""

    def fetch(folder: Path) -> None:
        datasets = _torchvision()
        for variant in variants:
            getattr(datasets, torchvision_class)(str(folder), download=True, **variant)

    return fetch


_TRAIN_AND_TEST: tuple[dict[str, object], ...] = ({"train": True}, {"train": False})


def _idx_spec(name: str, title: str, torchvision_class: str, **fields: object) -> DatasetSpec:
    files = _idx_files(torchvision_class, _MNIST_FILES)
    return DatasetSpec(
        name=name,
        title=title,
        shape=(1, 28, 28),
        sizes=(60_000, 10_000),
        files=files,
        read=_read_idx_set(files),
        fetch=_fetcher(torchvision_class, {}),
        **fields,  # type: ignore[arg-type]
    )


_MNIST_SOURCE = "LeCun, Cortes and Burges, The MNIST database of handwritten digits"

_SPECS = [
    DatasetSpec(
        name="mnist-sample",
        title="MNIST sample",
        classes=DIGITS,
        shape=(1, 28, 28),
        sizes=(4_500, 500),
        mean=(0.1307,),  # the whole MNIST's
        std=(0.3081,),
        source=_MNIST_SOURCE + "; 5,000 of its training images, embedded",
        licence="CC BY-SA 3.0",
        augmentation="handwriting",
        is_drawn=True,
        files=(),
        download_bytes=0,
        read=_read_sample,
    ),
    _idx_spec(
        "mnist",
        "MNIST",
        "MNIST",
        classes=DIGITS,
        mean=(0.1307,),
        std=(0.3081,),
        source=_MNIST_SOURCE,
        licence="CC BY-SA 3.0",
        augmentation="handwriting",
        is_drawn=True,
        download_bytes=11_594_722,
    ),
    _idx_spec(
        "fashion-mnist",
        "Fashion-MNIST",
        "FashionMNIST",
        classes=(
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ),
        mean=(0.2860,),
        std=(0.3530,),
        source="Xiao, Rasul and Vollgraf 2017, arXiv:1708.07747",
        licence="MIT",
        augmentation="flip",
        is_drawn=False,
        download_bytes=30_878_645,
    ),
    _idx_spec(
        "kmnist",
        "Kuzushiji-MNIST",
        "KMNIST",
        classes=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
        mean=(0.1918,),
        std=(0.3483,),
        source="Clanuwat et al. 2018, arXiv:1812.01718",
        licence="CC BY-SA 4.0",
        augmentation="affine",
        is_drawn=True,
        download_bytes=21_240_888,
    ),
    DatasetSpec(
        name="emnist-letters",
        title="EMNIST letters",
        classes=tuple("abcdefghijklmnopqrstuvwxyz"),
        shape=(1, 28, 28),
        sizes=(124_800, 20_800),
        mean=(0.1722,),
        std=(0.3309,),
        source="Cohen, Afshar, Tapson and van Schaik 2017, arXiv:1702.05373",
        licence="public domain (NIST)",
        augmentation="affine",
        is_drawn=True,
        files=_idx_files("EMNIST", _LETTER_FILES),
        download_bytes=561_753_746,
        read=_read_letters,
        fetch=_fetcher("EMNIST", {"split": "letters"}),
    ),
    DatasetSpec(
        name="cifar10",
        title="CIFAR-10",
        classes=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
        shape=(3, 32, 32),
        sizes=(50_000, 10_000),
        mean=(0.4914, 0.4822, 0.4465),
        std=(0.2470, 0.2435, 0.2616),
        source="Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images",
        licence="none stated; free for research",
        augmentation="flip",
        is_drawn=False,
        files=tuple(
            f"cifar-10-batches-py/{file}"
            for file in (*(f"data_batch_{n}" for n in range(1, 6)), "test_batch", "batches.meta")
        ),
        download_bytes=170_498_071,
        read=_read_cifar10,
        fetch=_fetcher("CIFAR10", *_TRAIN_AND_TEST),
        archives=("cifar-10-python.tar.gz",),
    ),
    DatasetSpec(
        name="svhn",
        title="SVHN",
        classes=DIGITS,
        shape=(3, 32, 32),
        sizes=(73_257, 26_032),
        mean=(0.4377, 0.4438, 0.4728),
        std=(0.1980, 0.2010, 0.1970),
        source="Netzer et al. 2011, Reading Digits in Natural Images with Unsupervised Feature Learning",
        licence="non-commercial use",
        augmentation="shift",
        is_drawn=False,
        files=("train_32x32.mat", "test_32x32.mat"),
        download_bytes=246_316_178,
        read=_read_svhn,
        fetch=_fetcher("SVHN", {"split": "train"}, {"split": "test"}),
    ),
    DatasetSpec(
        name="usps",
        title="USPS",
        classes=DIGITS,
        shape=(1, 16, 16),
        sizes=(7_291, 2_007),
        mean=(0.2469,),
        std=(0.2989,),
        source="Hull 1994, A database for handwritten text recognition research",
        licence="none stated; free for research",
        augmentation="shift",
        is_drawn=True,
        files=("usps.bz2", "usps.t.bz2"),
        download_bytes=8_411_109,
        read=_read_usps,
        fetch=_fetcher("USPS", *_TRAIN_AND_TEST),
    ),
]
DATASETS = Datasets({spec.name: spec for spec in _SPECS})
