from __future__ import annotations

import bz2
import gzip
import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
import torch

from cnnlab.data import readers
from cnnlab.data.datasets import DATASETS
from cnnlab.data.loading import load
from cnnlab.data.readers import read_idx
from cnnlab.data.spec import DatasetError, DatasetSpec
from cnnlab.data.torchvision_compat import datasets
from tests.data.files import RNG, digits, idx, write_mnist


@pytest.mark.parametrize("name", DATASETS)
def test_an_entry_is_complete(name: str) -> None:
    spec = DATASETS[name]
    assert spec.name == name
    assert len(set(spec.classes)) == len(spec.classes)
    assert len(spec.mean) == len(spec.std) == spec.shape[0]
    assert spec.source
    assert spec.licence
    assert (spec.fetch is None) == (not spec.files)


@pytest.mark.parametrize(
    "damage",
    [b"", b"\x1f\x8b not gzip", gzip.compress(b"no IDX"), gzip.compress(digits(40)[0])[:-90]],
    ids=["empty", "not gzip", "no IDX", "torn"],
)
def test_a_damaged_file_is_told_with_the_mend(damage: bytes, tmp_path: Path) -> None:
    write_mnist(tmp_path / "MNIST" / "raw", compressed=True)
    (tmp_path / "MNIST" / "raw" / "train-images-idx3-ubyte.gz").write_bytes(damage)
    with pytest.raises(DatasetError, match=r"is damaged .*delete its files"):
        load("mnist", folder=tmp_path)


def sound(spec: DatasetSpec) -> list[Any]:
    """Two images of each class to train on, one to test."""
    labels = np.arange(len(spec.classes))
    images = np.zeros((2 * len(labels), *spec.shape), np.uint8)
    return [images, np.tile(labels, 2), images[: len(labels)], labels]


def given(arrays: list[Any]) -> readers.Reader:
    images, labels, test_images, test_labels = arrays
    return lambda _: (images, labels, test_images, test_labels)


FAULTS: dict[str, Callable[[DatasetSpec, np.ndarray[Any, Any]], np.ndarray[Any, Any]]] = {
    "a label beyond": lambda spec, old: np.where(np.arange(len(old)) == 3, len(spec.classes), old),
    "a label below": lambda spec, old: np.where(np.arange(len(old)) == 3, -1, old),
    "one label less": lambda spec, old: old[1:],
    "labels in a column": lambda spec, old: old[:, None],
    "labels with fractions": lambda spec, old: old + 0.5,
    "no labels": lambda spec, old: old[:0],
    "one image less": lambda spec, old: old[1:],
    "no images": lambda spec, old: old[:0],
    "wider images": lambda spec, old: np.repeat(old, 2, axis=3),
    "images without channels": lambda spec, old: old[:, 0],
    "images of floats": lambda spec, old: old / np.float32(255),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", ["emnist-letters", "cifar10"])  # with and without colour
def test_a_data_set_that_disagrees_with_itself_is_damaged(
    name: str, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = DATASETS[name]
    for split in (0, 2):
        arrays = sound(spec)
        place = split + ("label" in fault)
        arrays[place] = FAULTS[fault](spec, arrays[place])
        monkeypatch.setitem(DATASETS, name, replace(spec, files=(), read=given(arrays)))
        with pytest.raises(DatasetError, match=rf"^{re.escape(spec.title)} in .* is damaged \(.*\): .*again$"):
            load(name, folder=tmp_path)


@pytest.mark.parametrize("name", DATASETS)
def test_a_data_set_is_damaged_where_splits_would_be_empty(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = DATASETS[name]
    arrays = sound(spec)
    monkeypatch.setitem(DATASETS, name, replace(spec, files=(), read=given(arrays[2:] * 2)))
    with pytest.raises(DatasetError, match="none would be left"):
        load(name, folder=tmp_path)
    monkeypatch.setitem(DATASETS, name, replace(spec, files=(), read=given(arrays)))
    loaded = load(name, 0.01, folder=tmp_path)
    assert len(loaded.train) == len(loaded.validation) == len(loaded.test) == len(spec.classes)


def test_files_of_unlike_lengths_are_damaged(tmp_path: Path, offline: None) -> None:
    write_mnist(tmp_path / "MNIST" / "raw", compressed=False)
    (tmp_path / "MNIST" / "raw" / "train-labels-idx1-ubyte").write_bytes(digits(39)[1])
    with pytest.raises(DatasetError, match="it has 40 training images and 39 labels"):
        load("mnist", folder=tmp_path)


@pytest.mark.parametrize("content", [b"", b"PK\3\4", b"\x93NUMPY", b"x" * 100])
def test_a_damaged_sample_says_where_it_comes_from(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "SAMPLE", tmp_path / "sample.npz")
    (tmp_path / "sample.npz").write_bytes(content)
    with pytest.raises(DatasetError, match=r"^MNIST sample in .* is damaged .*get CNN Lab's files again$"):
        load("mnist-sample")


@pytest.mark.parametrize("line", ["12 1:0", "0 1:0", "x 1:0", "", "1"])
def test_damaged_usps_lines_are_told(line: str, tmp_path: Path) -> None:
    pixels = " ".join(f"{n}:0" for n in range(2, 257))
    for name in DATASETS["usps"].files:
        (tmp_path / name).write_bytes(bz2.compress(f"{line} {pixels}\n".encode() * 2 if line[1:] else line.encode()))
    with pytest.raises(DatasetError, match=r"^USPS in .* is damaged"):
        load("usps", folder=tmp_path)


def test_usps_is_read_from_its_own_format(tmp_path: Path) -> None:
    lines = "".join(
        f"{label + 1} " + " ".join(f"{n}:{-1 + label / 5}" for n in range(1, 257)) + "\n" for label in range(10)
    )
    for name in DATASETS["usps"].files:
        (tmp_path / name).write_bytes(bz2.compress(lines.encode() * 2))
    test = load("usps", 0.5, folder=tmp_path).test
    assert test.images.shape == (20, 1, 16, 16)
    assert test.labels[:10].tolist() == list(range(10))
    assert test.images[5].unique().tolist() == [127]


def test_svhn_is_read_from_its_own_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = RNG.integers(0, 256, (32, 32, 3, 20), np.uint8)
    labels = np.arange(1, 21)[:, None] % 10 + 1  # SVHN writes 10 for the digit 0
    table = dict(datasets.SVHN.split_list)
    for name in DATASETS["svhn"].files:
        scipy.io.savemat(tmp_path / name, {"X": pixels, "y": labels})
    for split in ("train", "test"):
        url, name, _ = table[split]
        table[split] = [url, name, hashlib.md5((tmp_path / name).read_bytes()).hexdigest()]
    monkeypatch.setattr(datasets.SVHN, "split_list", table)
    test = load("svhn", 0.5, folder=tmp_path).test
    assert test.images.shape == (20, 3, 32, 32)
    assert torch.equal(test.images[3], torch.from_numpy(pixels[..., 3].transpose(2, 0, 1).copy()))
    assert test.labels[:9].tolist() == [2, 3, 4, 5, 6, 7, 8, 9, 0]


def test_letters_are_turned_upright_and_counted_from_zero(tmp_path: Path) -> None:
    raw = tmp_path / "EMNIST" / "raw"
    raw.mkdir(parents=True)
    images = RNG.integers(0, 256, (52, 28, 28), np.uint8)
    for split in ("train", "test"):
        (raw / f"emnist-letters-{split}-images-idx3-ubyte").write_bytes(idx(images))
        labels = (np.arange(52) % 26 + 1).astype(np.uint8)
        (raw / f"emnist-letters-{split}-labels-idx1-ubyte").write_bytes(idx(labels))
    test = load("emnist-letters", 0.5, folder=tmp_path).test
    assert torch.equal(test.images[0, 0], torch.from_numpy(images[0].T.copy()))
    assert test.labels[:3].tolist() == [0, 1, 2]


def test_an_idx_file_of_another_type_is_refused(tmp_path: Path) -> None:
    (tmp_path / "floats").write_bytes(bytes([0, 0, 0x0D, 1]) + bytes(8))
    with pytest.raises(ValueError, match="no IDX file of bytes"):
        read_idx(tmp_path / "floats")
