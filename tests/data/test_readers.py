from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnlab.data import readers
from cnnlab.data.table import CLASS_NAMES
from cnnlab.data.torchvision_compat import datasets


def test_flowers_have_torchvisions_names() -> None:
    assert CLASS_NAMES["flowers102"] == tuple(datasets.Flowers102.classes)


class Photos:
    """A data set of torchvision: photos of each class, of different sizes."""

    classes = ("ash", "oak")

    def __init__(self, folder: str, split: str = "all") -> None:
        self.colour = {"all": 10, "train": 20, "val": 30, "test": 40}[split]

    def __iter__(self) -> Iterator[tuple[Image.Image, int]]:
        for number in range(20):
            yield Image.new("L" if number else "RGB", (30 + number, 20), self.colour), number % 2


@pytest.fixture
def torchvision(monkeypatch: pytest.MonkeyPatch) -> None:
    stl = SimpleNamespace(data=np.zeros((3, 3, 96, 96), np.uint8), labels=np.array([0, 1, 9], np.uint8))
    cifar = SimpleNamespace(data=np.zeros((2, 32, 32, 3), np.uint8), targets=[7, 99])
    fakes: dict[str, Any] = {"Photos": Photos, "STL10": lambda *_, **__: stl, "CIFAR100": lambda *_, **__: cifar}
    monkeypatch.setattr(readers, "_torchvision", lambda: SimpleNamespace(**fakes))


def test_photos_of_several_parts_are_scaled_and_joined(torchvision: None) -> None:
    read = readers.read_photos("Photos", Photos.classes, 16, ("train", "val"), ("test",))
    images, labels, test_images, test_labels = read(Path())
    assert images.shape == (40, 3, 16, 16)
    assert test_images.shape == (20, 3, 16, 16)
    assert labels.tolist() == [0, 1] * 20
    assert test_labels.tolist() == [0, 1] * 10
    assert [images[1].max(), images[21].max(), test_images[1].max()] == [20, 30, 40]


def test_photos_without_a_test_give_a_share_of_every_class(torchvision: None) -> None:
    images, labels, test_images, test_labels = readers.read_photos("Photos", Photos.classes, 16)(Path())
    assert np.bincount(labels).tolist() == [8, 8]
    assert np.bincount(test_labels).tolist() == [2, 2]
    assert len(images) + len(test_images) == 20


def test_photos_of_other_classes_are_refused(torchvision: None) -> None:
    with pytest.raises(ValueError, match="its classes are others"):
        readers.read_photos("Photos", ("oak", "ash"), 16)(Path())


def test_channels_come_first_and_labels_are_whole_numbers(torchvision: None) -> None:
    assert readers.read_cifar("CIFAR100")(Path())[0].shape == (2, 3, 32, 32)
    assert readers.read_stl10(Path())[1].dtype == np.int64
