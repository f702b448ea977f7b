"""The data sets that come with the app, or are downloaded: a row each."""

from __future__ import annotations

import tomllib
from pathlib import Path

from cnnlab.data.readers import (
    LETTER_FILES,
    MNIST_FILES,
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
from cnnlab.data.spec import DatasetSpec

DIGITS = tuple("0123456789")
CLASS_NAMES = {
    name: tuple(names)
    for name, names in tomllib.loads((Path(__file__).parent / "class_names.toml").read_text(encoding="utf-8")).items()
}

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

SPECS = [
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
