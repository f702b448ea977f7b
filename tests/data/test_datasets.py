from __future__ import annotations

import bz2
import gzip
import hashlib
import os
import pickle
import re
import socket
import tarfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
import scipy.io
import torch
from torch import Tensor

from cnnlab.data import datasets as data
from cnnlab.data import download, torchvision_compat
from cnnlab.data.batches import Standardise, batches, prepared_batches, scaling, split_joining_single
from cnnlab.data.datasets import DATASETS, DatasetError, read_idx
from cnnlab.data.download import is_present
from cnnlab.data.handwriting import lesson_images, taught
from cnnlab.data.loading import load
from cnnlab.data.splits import Split
from cnnlab.data.torchvision_compat import datasets
from cnnlab.drawings.preprocess import prepare, stroke_ink
from cnnlab.training.config import RunConfig
from cnnlab.training.run_data import load_for
from tests.samples import Stalled, few_digits, lesson

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def nothing_cached() -> Iterator[None]:
    yield
    download._memory.clear()


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every download fails at once: the port is closed."""
    monkeypatch.setattr(datasets.MNIST, "mirrors", ["http://127.0.0.1:9/"])


def idx(array: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes() + array.tobytes()


def digits(count: int) -> tuple[bytes, bytes]:
    """A tiny image file and its labels, every class in turn."""
    images = RNG.integers(0, 256, (count, 28, 28), np.uint8)
    return idx(images), idx((np.arange(count) % 10).astype(np.uint8))


def write_mnist(folder: Path, compressed: bool, train: int = 40, test: int = 20) -> None:
    folder.mkdir(parents=True)
    for prefix, count in (("train", train), ("t10k", test)):
        for name, content in zip(("images-idx3", "labels-idx1"), digits(count), strict=True):
            path = folder / f"{prefix}-{name}-ubyte{'.gz' if compressed else ''}"
            path.write_bytes(gzip.compress(content) if compressed else content)


def test_the_sample_is_small_and_balanced() -> None:
    assert data.SAMPLE.stat().st_size < 1_000_000
    loaded = load("mnist-sample")
    labels = torch.cat([loaded.train.labels, loaded.validation.labels, loaded.test.labels])
    assert labels.bincount().tolist() == [500] * 10
    assert len(loaded.test) == DATASETS["mnist-sample"].sizes[1]


def test_the_sample_is_from_mnists_training_set_and_not_its_test_set(real_data: Path) -> None:
    sample, whole = load("mnist-sample"), load("mnist", folder=real_data)
    splits = [sample.train, sample.validation, sample.test]
    known = {
        (image.numpy().tobytes(), int(label)) for s in (whole.train, whole.validation) for image, label in pairs(s)
    }
    judged = {image.numpy().tobytes() for image, _ in pairs(whole.test)}
    chosen = {(image.numpy().tobytes(), int(label)) for s in splits for image, label in pairs(s)}
    assert len(chosen) == 5000
    assert chosen <= known
    assert not {image for image, _ in chosen} & judged


def pairs(split: Split) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    return zip(split.images, split.labels, strict=True)


def test_validation_is_a_stratified_part_of_train_the_same_for_a_seed() -> None:
    first, again, other = load("mnist-sample", 0.2, 1), load("mnist-sample", 0.2, 1), load("mnist-sample", 0.2, 2)
    assert first.validation.labels.bincount().tolist() == [90] * 10
    assert len(first.train) + len(first.validation) == DATASETS["mnist-sample"].sizes[0]
    assert torch.equal(first.validation.images, again.validation.images)
    assert not torch.equal(first.validation.images, other.validation.images)
    train = {image.numpy().tobytes() for image in first.train.images}
    assert not train & {image.numpy().tobytes() for image in first.validation.images}


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_the_tables_statistics_are_the_real_ones(name: str, real_data: Path) -> None:
    loaded, spec = load(name, folder=real_data), DATASETS[name]
    pixels = torch.cat([loaded.train.images, loaded.validation.images]).double() / 255
    assert (len(pixels), len(loaded.test)) == spec.sizes
    assert pixels.mean().item() == pytest.approx(spec.mean[0], abs=1e-4)
    assert pixels.std().item() == pytest.approx(spec.std[0], abs=1e-4)


@pytest.mark.parametrize("name", DATASETS)
def test_an_entry_is_complete(name: str) -> None:
    spec = DATASETS[name]
    assert spec.name == name
    assert len(set(spec.classes)) == len(spec.classes)
    assert len(spec.mean) == len(spec.std) == spec.shape[0]
    assert spec.source
    assert spec.licence
    assert (spec.fetch is None) == (not spec.files)


@pytest.mark.parametrize("compressed", [True, False])
def test_files_in_the_folder_are_read_without_a_download(compressed: bool, tmp_path: Path, offline: None) -> None:
    write_mnist(tmp_path / "MNIST" / "raw", compressed)
    before = sorted(tmp_path.rglob("*"))
    loaded = load("mnist", folder=tmp_path)
    assert (len(loaded.train) + len(loaded.validation), len(loaded.test)) == (40, 20)
    assert is_present("mnist", tmp_path)
    assert sorted(tmp_path.rglob("*")) == before


def test_without_network_the_message_says_what_to_do_and_nothing_is_left(tmp_path: Path, offline: None) -> None:
    with pytest.raises(DatasetError, match=r"could not be downloaded.*choose mnist-sample"):
        load("mnist", folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


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


def sound(spec: data.DatasetSpec) -> list[Any]:
    """Two images of each class to train on, one to test."""
    labels = np.arange(len(spec.classes))
    images = np.zeros((2 * len(labels), *spec.shape), np.uint8)
    return [images, np.tile(labels, 2), images[: len(labels)], labels]


def given(arrays: list[Any]) -> Callable[[Path], data.Arrays]:
    images, labels, test_images, test_labels = arrays
    return lambda _: (images, labels, test_images, test_labels)


FAULTS: dict[str, Callable[[data.DatasetSpec, np.ndarray[Any, Any]], np.ndarray[Any, Any]]] = {
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
@pytest.mark.parametrize("name", DATASETS)
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
    monkeypatch.setattr(data, "SAMPLE", tmp_path / "sample.npz")
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


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(DatasetError, match="mnist-sample, mnist, fashion-mnist"):
        load("minst")


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A mirror on this machine that serves a tiny MNIST with its own checksums."""
    served = tmp_path / "served"
    write_mnist(served, compressed=True)
    handler = partial(SimpleHTTPRequestHandler, directory=str(served))
    monkeypatch.setattr(SimpleHTTPRequestHandler, "log_message", lambda *_: None)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        thread = Thread(target=httpd.serve_forever)
        thread.start()
        monkeypatch.setattr(datasets.MNIST, "mirrors", [f"http://127.0.0.1:{httpd.server_port}/"])
        resources = [
            (name, hashlib.md5((served / name).read_bytes()).hexdigest()) for name, _ in datasets.MNIST.resources
        ]
        monkeypatch.setattr(datasets.MNIST, "resources", resources)
        yield served
        httpd.shutdown()
        thread.join()


def test_a_download_ends_in_the_folder_and_is_read_from_there_afterwards(mirror: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    assert not is_present("mnist", folder)
    first = load("mnist", folder=folder)
    assert [path.name for path in folder.iterdir()] == ["MNIST"]
    download._memory.clear()
    for path in mirror.iterdir():
        path.unlink()
    assert torch.equal(load("mnist", folder=folder).test.images, first.test.images)


def test_a_download_with_a_wrong_checksum_is_refused_and_cleaned_up(
    mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (mirror / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(b"something else"))
    folder = tmp_path / "data"
    with pytest.raises(DatasetError, match="could not be downloaded"):
        load("mnist", folder=folder)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("is_in_memory", [True, False])
def test_a_download_holds_up_nobody_who_wants_other_data(stalled: Stalled, tmp_path: Path, is_in_memory: bool) -> None:
    if is_in_memory:
        load("mnist-sample")
    with ThreadPoolExecutor(2) as pool:
        waiting = pool.submit(load, "stalled", folder=tmp_path)
        stalled.begun.wait()
        try:
            assert len(pool.submit(load, "mnist-sample").result(timeout=30).test) == 500
            assert not waiting.done()
        finally:
            stalled.fails.set()
        with pytest.raises(DatasetError, match="the line was cut"):
            waiting.result()


def test_who_wants_the_same_data_waits_for_one_download_and_who_comes_later_tries_again(
    stalled: Stalled, tmp_path: Path
) -> None:
    both = [download.fetch("stalled", tmp_path) for _ in range(2)]
    stalled.fails.set()
    assert all("the line was cut" in str(each.exception()) for each in both)
    assert stalled.asked == 1
    assert "the line was cut" in str(download.fetch("stalled", tmp_path).exception())
    assert stalled.asked == 2


@pytest.mark.parametrize("name", ["mnist", "usps"])
def test_a_server_that_takes_the_call_and_never_answers_is_given_up(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torchvision_compat, "SILENCE_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the system accepts for it
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        monkeypatch.setattr(datasets.MNIST, "mirrors", [address])
        monkeypatch.setattr(datasets.USPS, "split_list", {"train": [address, "usps.bz2", ""]})
        with pytest.raises(DatasetError, match=r"could not be downloaded \(the server does not answer\)"):
            load(name, folder=tmp_path)


def test_bytes_of_a_running_download_are_counted(tmp_path: Path) -> None:
    assert download.downloaded_bytes("mnist", tmp_path) == 0
    part = tmp_path / ".fetching-mnist-x" / "MNIST" / "raw" / "train.gz"
    part.parent.mkdir(parents=True)
    part.write_bytes(bytes(1234))
    assert download.downloaded_bytes("mnist", tmp_path) == 1234


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_enough(tmp_path: Path, offline: None) -> None:
    write_mnist(tmp_path / "MNIST" / "raw", compressed=True)
    tmp_path.chmod(0o555)
    assert len(load("mnist", folder=tmp_path).test) == 20


def test_an_archive_in_the_folder_saves_the_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = {"data": RNG.integers(0, 256, (20, 3072), np.uint8), "labels": [n % 10 for n in range(20)]}
    inside = tmp_path / "made" / "cifar-10-batches-py"
    inside.mkdir(parents=True)
    md5 = {}
    for file in DATASETS["cifar10"].files:
        name = Path(file).name
        content = pickle.dumps({"label_names": ["x"]} if name == "batches.meta" else batch)
        (inside / name).write_bytes(content)
        md5[name] = hashlib.md5(content).hexdigest()
    folder = tmp_path / "data"
    folder.mkdir()
    archive = folder / "cifar-10-python.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(inside, "cifar-10-batches-py")
    cifar = datasets.CIFAR10
    monkeypatch.setattr(cifar, "url", "http://127.0.0.1:9/cifar-10-python.tar.gz")
    monkeypatch.setattr(cifar, "tgz_md5", hashlib.md5(archive.read_bytes()).hexdigest())
    for table in ("train_list", "test_list"):
        monkeypatch.setattr(cifar, table, [[name, md5[name]] for name, _ in getattr(cifar, table)])
    monkeypatch.setattr(cifar, "meta", cifar.meta | {"md5": md5["batches.meta"]})
    assert is_present("cifar10", folder)
    loaded = load("cifar10", folder=folder)
    assert loaded.test.images.shape == (20, 3, 32, 32)
    assert torch.equal(loaded.test.images[0].flatten(), torch.from_numpy(batch["data"])[0])
    assert (folder / "cifar-10-batches-py" / "test_batch").exists()


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


def test_lessons_are_drawings_as_a_network_is_asked_about_them() -> None:
    lessons = [lesson("7"), lesson("1", 0.3)]
    split = lesson_images(lessons, DATASETS["mnist-sample"])
    assert torch.equal(split.images, torch.cat([prepare(stroke_ink(one)) for one in lessons]))
    assert split.labels.tolist() == [7, 1]
    assert lesson_images(lessons, DATASETS["usps"]).images.shape == (2, 1, 16, 16)


@pytest.mark.parametrize(("share", "copies"), [(0.2, 20), (0.5, 80), (0.9, 720)])
def test_lessons_in_turn_are_their_share_of_the_training_images(share: float, copies: int) -> None:
    plain, lessons = few_digits(train=80), [lesson("7"), lesson("1"), lesson("4")]
    mixed = taught(plain, lessons, share)
    assert torch.equal(mixed.train.images[:80], plain.train.images)
    added = mixed.train.labels[80:]
    assert len(added) == copies
    assert max(added.bincount()[[7, 1, 4]]) - min(added.bincount()[[7, 1, 4]]) <= 1
    assert mixed.validation is plain.validation
    assert mixed.test is plain.test


def test_every_lesson_is_taught_however_many_there_are() -> None:
    mixed = taught(few_digits(train=10), [lesson("7", number / 100) for number in range(40)], 0.1)
    assert len(mixed.train) == 50


def test_a_configs_lessons_are_among_its_training_images() -> None:
    config = RunConfig(lessons=(lesson("7"),), lesson_share=0.5, train_fraction=0.1)
    plain, mixed = load("mnist-sample", train_fraction=0.1), load_for(config)
    assert len(mixed.train) == 2 * len(plain.train)
    assert torch.equal(mixed.validation.images, plain.validation.images)


@pytest.mark.parametrize(
    ("name", "label", "words"),
    [
        ("mnist-sample", "x", "has no class 'x': label drawings 0, 1"),
        ("fashion-mnist", "7", "no drawn characters"),
        ("cifar10", "cat", "no drawn characters"),
    ],
)
def test_lessons_that_a_data_set_does_not_take_are_refused_in_one_line(name: str, label: str, words: str) -> None:
    with pytest.raises(DatasetError, match=words) as refusal:
        lesson_images([lesson(label)], DATASETS[name])
    assert "\n" not in str(refusal.value)


def test_batches_cover_every_image_once_in_the_generators_order() -> None:
    split = Split(torch.arange(10, dtype=torch.uint8).view(10, 1, 1, 1), torch.arange(10))
    plain = list(batches(split, 4))
    assert [len(labels) for _, labels in plain] == [4, 4, 2]
    assert torch.cat([labels for _, labels in plain]).tolist() == list(range(10))

    def shuffled(seed: int) -> list[int]:
        drawn = list(batches(split, 4, torch.Generator().manual_seed(seed)))
        assert all(torch.equal(images.flatten().long(), labels) for images, labels in drawn)
        return [int(label) for _, labels in drawn for label in labels]

    assert sorted(shuffled(0)) == list(range(10))
    assert shuffled(0) == shuffled(0) != shuffled(1)


@pytest.mark.parametrize("size", [1, 3, 4, 100])
def test_prepared_batches_are_the_same_batches_made_ready_several_at_once(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cnnlab.data.batches.PREPARED_AT_ONCE", 6)
    split = Split(torch.arange(10, dtype=torch.uint8).view(10, 1, 1, 1), torch.arange(10))
    calls = []

    def double(images: Tensor, labels: Tensor) -> Tensor:
        assert torch.equal(images.flatten().long(), labels)
        calls.append(len(labels))
        return images.float() * 2

    made = list(prepared_batches(split, size, torch.Generator().manual_seed(0), double))
    plain = list(batches(split, size, torch.Generator().manual_seed(0)))
    assert [labels.tolist() for _, labels in made] == [labels.tolist() for _, labels in plain]
    assert all(torch.equal(inputs.flatten(), labels * 2.0) for inputs, labels in made)
    assert len(calls) == {1: 2, 3: 2, 4: 3, 100: 1}[size]


@pytest.mark.parametrize(
    ("count", "sizes"), [(1, [1]), (3, [3]), (4, [4]), (5, [3, 2]), (6, [3, 3]), (7, [3, 4]), (13, [3, 3, 3, 4])]
)
def test_a_single_last_image_joins_the_batch_before_it(count: int, sizes: list[int]) -> None:
    parts = split_joining_single(torch.arange(count), 3)
    assert [len(part) for part in parts] == sizes
    assert torch.cat(list(parts)).tolist() == list(range(count))


def test_a_single_last_image_joins_also_where_several_batches_are_prepared_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cnnlab.data.batches.PREPARED_AT_ONCE", 6)
    split = Split(torch.arange(13, dtype=torch.uint8).view(13, 1, 1, 1), torch.arange(13))
    draws = torch.Generator().manual_seed(0)
    made = list(prepared_batches(split, 3, draws, lambda images, _: images.float(), split_joining_single))
    assert [len(labels) for _, labels in made] == [3, 3, 3, 4]
    assert all(inputs.flatten().tolist() == labels.tolist() for inputs, labels in made)
    assert sorted(int(label) for _, labels in made for label in labels) == list(range(13))


def test_standardise_takes_each_channels_own_mean_and_deviation() -> None:
    standardise = Standardise((0.5, 0.0), (0.25, 2.0))
    out = standardise(torch.ones(1, 2, 1, 1))
    assert out.flatten().tolist() == [2.0, 0.5]


def test_scaling_follows_the_config() -> None:
    spec = DATASETS["cifar10"]
    assert scaling(spec, "standard") == (spec.mean, spec.std)
    assert scaling(spec, "unit") == ((0, 0, 0), (1, 1, 1))
    assert scaling(spec, "symmetric") == ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
