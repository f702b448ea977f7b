from __future__ import annotations

import gzip
import hashlib
import os
import pickle
import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
import torch

from cnnlab.data import download
from cnnlab.data.datasets import DATASETS
from cnnlab.data.download import is_present
from cnnlab.data.loading import load
from cnnlab.data.spec import DatasetError
from cnnlab.data.torchvision_compat import datasets
from tests.data.files import RNG, write_mnist
from tests.samples import Stalled


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
