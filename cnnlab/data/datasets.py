"""Data sets: one table, three splits each, images as one uint8 tensor per split."""

from __future__ import annotations

import tomllib
from collections import UserDict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

from cnnlab.data.folders import pictures_folder
from cnnlab.data.pictures.store import Library
from cnnlab.data.pictures.version import PictureSetError, Version, split_of
from cnnlab.data.readers import (
    LETTER_FILES,
    MNIST_FILES,
    Reader,
    fetcher,
    idx_files,
    read_cifar,
    read_idx_set,
    read_letters,
    read_photos,
    read_sample,
    read_stl10,
    read_svhn,
    read_usps,
)
from cnnlab.data.splits import Split
from cnnlab.errors import CnnLabError
from cnnlab.networks.layers import Shape

DIGITS = tuple("0123456789")
COLOUR = 3  # channels
CLASS_NAMES = {
    name: tuple(names)
    for name, names in tomllib.loads((Path(__file__).parent / "class_names.toml").read_text(encoding="utf-8")).items()
}


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
    read: Reader | None = None  # from the data folder
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


_TRAIN_AND_TEST: tuple[dict[str, object], ...] = ({"train": True}, {"train": False})


def _idx_spec(name: str, title: str, torchvision_class: str, **fields: object) -> DatasetSpec:
    files = idx_files(torchvision_class, MNIST_FILES)
    return DatasetSpec(
        name=name,
        title=title,
        shape=(1, 28, 28),
        sizes=(60_000, 10_000),
        files=files,
        read=read_idx_set(files),
        fetch=fetcher(torchvision_class, {}),
        **fields,  # type: ignore[arg-type]
    )


def _photo_spec(
    name: str, title: str, torchvision_class: str, *splits: tuple[str, ...], size: int, **fields: object
) -> DatasetSpec:
    """Describe photos of any size, scaled to ``size`` pixels; means and deviations are ImageNet's."""
    return DatasetSpec(
        name=name,
        title=title,
        classes=CLASS_NAMES[name],
        shape=(3, size, size),
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
        augmentation="flip",
        is_drawn=False,
        read=read_photos(torchvision_class, CLASS_NAMES[name], size, *splits),
        **fields,  # type: ignore[arg-type]
    )


_STL10_FILES = ("train_X.bin", "train_y.bin", "test_X.bin", "test_y.bin")
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
        read=read_sample,
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
        files=idx_files("EMNIST", LETTER_FILES),
        download_bytes=561_753_746,
        read=read_letters,
        fetch=fetcher("EMNIST", {"split": "letters"}),
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
        read=read_cifar("CIFAR10"),
        fetch=fetcher("CIFAR10", *_TRAIN_AND_TEST),
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
        read=read_svhn,
        fetch=fetcher("SVHN", {"split": "train"}, {"split": "test"}),
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
        read=read_usps,
        fetch=fetcher("USPS", *_TRAIN_AND_TEST),
    ),
    DatasetSpec(
        name="cifar100",
        title="CIFAR-100",
        classes=CLASS_NAMES["cifar100"],
        shape=(3, 32, 32),
        sizes=(50_000, 10_000),
        mean=(0.5071, 0.4865, 0.4409),
        std=(0.2673, 0.2564, 0.2762),
        source="Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images",
        licence="none stated; free for research",
        augmentation="flip",
        is_drawn=False,
        files=tuple(f"cifar-100-python/{file}" for file in ("train", "test", "meta")),
        download_bytes=169_001_437,
        read=read_cifar("CIFAR100"),
        fetch=fetcher("CIFAR100", *_TRAIN_AND_TEST),
        archives=("cifar-100-python.tar.gz",),
    ),
    DatasetSpec(
        name="stl10",
        title="STL-10",
        classes=CLASS_NAMES["stl10"],
        shape=(3, 96, 96),
        sizes=(5_000, 8_000),
        mean=(0.4467, 0.4398, 0.4066),
        std=(0.2603, 0.2566, 0.2713),
        source="Coates, Ng and Lee 2011, An Analysis of Single-Layer Networks in Unsupervised Feature Learning",
        licence="none stated; from ImageNet",
        augmentation="flip",
        is_drawn=False,
        files=tuple(f"stl10_binary/{file}" for file in (*_STL10_FILES, "class_names.txt", "fold_indices.txt")),
        download_bytes=2_640_397_119,
        read=read_stl10,
        fetch=fetcher("STL10", {"split": "train"}),
        archives=("stl10_binary.tar.gz",),
    ),
    _photo_spec(
        "eurosat",
        "EuroSAT",
        "EuroSAT",
        size=64,
        sizes=(22_950, 4_050),
        source="Helber, Bischke, Dengel and Borth 2019, arXiv:1709.00029; satellite images",
        licence="MIT",
        files=("eurosat/2750",),
        download_bytes=94_280_567,
        fetch=fetcher("EuroSAT", {}),
    ),
    _photo_spec(
        "oxford-pets",
        "Oxford-IIIT Pet",
        "OxfordIIITPet",
        ("trainval",),
        ("test",),
        size=96,
        sizes=(3_680, 3_669),
        source="Parkhi, Vedaldi, Zisserman and Jawahar 2012, Cats and Dogs",
        licence="CC BY-SA 4.0",
        files=("oxford-iiit-pet/images", "oxford-iiit-pet/annotations"),
        download_bytes=811_092_049,
        fetch=fetcher("OxfordIIITPet", {}),
    ),
    _photo_spec(
        "flowers102",
        "Flowers-102",
        "Flowers102",
        ("train", "val"),
        ("test",),
        size=96,
        sizes=(2_040, 6_149),
        source="Nilsback and Zisserman 2008, Automated Flower Classification over a Large Number of Classes",
        licence="none stated",
        files=("flowers-102/jpg", "flowers-102/imagelabels.mat", "flowers-102/setid.mat"),
        download_bytes=344_862_509,
        fetch=fetcher("Flowers102", {}),
    ),
]
DATASETS = Datasets({spec.name: spec for spec in _SPECS})
