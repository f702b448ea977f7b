"""Data sets from disk or from the internet: each in a thread of its own, checked, and kept in memory."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from urllib.error import URLError

import numpy as np
import torch

from cnnlab.data.datasets import dataset_spec
from cnnlab.data.folders import data_folder
from cnnlab.data.readers import Arrays
from cnnlab.data.spec import DatasetError, DatasetSpec
from cnnlab.data.splits import Split
from cnnlab.threads import WorkerThread

Splits = tuple[Split, Split]  # all training images, and the test images


def fetch(name: str, folder: Path | None = None) -> Future[Splits]:
    """Start to load a whole data set, unless it is in memory; once the future is done, ``load`` takes no time.

    Raises DatasetError for an unknown name; the future raises every other failure.
    """
    return _memory.ask(dataset_spec(name), folder or data_folder())


def downloaded_bytes(name: str, folder: Path | None = None) -> int:
    """Count the bytes of a running download, for a progress bar; 0 where none is running."""
    total = 0
    for staging in (folder or data_folder()).glob(f".fetching-{name}-*"):
        for path in staging.rglob("*"):
            try:
                total += path.stat().st_size * (path.is_file() and not path.is_symlink())
            except FileNotFoundError:  # torchvision renames and removes as it goes
                continue
    return total


def is_present(name: str, folder: Path | None = None) -> bool:
    """Tell whether a data set can be read without a download."""
    spec = dataset_spec(name)
    where = folder or data_folder()
    return _complete(spec, where) or (bool(spec.archives) and all((where / file).exists() for file in spec.archives))


class _Memory:
    """The data sets used last, loaded or loading; all runs share them, as nothing writes to them.

    Each is loaded once, in a thread of its own, so that nobody waits for another data set.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        # By name, contents and folder; the one asked for last is the last.
        self._loads: dict[tuple[str, str, Path], Future[Splits]] = {}
        self._lock = Lock()

    def ask(self, spec: DatasetSpec, folder: Path) -> Future[Splits]:
        key = spec.name, spec.digest, folder
        with self._lock:
            load = self._loads.pop(key, None) or self._begun(spec, key)
            self._loads[key] = load
            for other in list(self._loads)[: -self._size]:
                if self._loads[other].done():
                    del self._loads[other]
            return load

    def clear(self) -> None:
        with self._lock:
            self._loads.clear()

    def _begun(self, spec: DatasetSpec, key: tuple[str, str, Path]) -> Future[Splits]:
        load: Future[Splits] = Future()
        WorkerThread(lambda: self._load(spec, key, load), _drop_downloads, f"load {spec.name}", is_left=True).start()
        return load

    def _load(self, spec: DatasetSpec, key: tuple[str, str, Path], load: Future[Splits]) -> None:
        try:
            load.set_result(_read(spec, key[-1]))
        except Exception as error:
            with self._lock:  # whoever asks next tries again
                if self._loads.get(key) is load:
                    del self._loads[key]
            load.set_exception(error)


_memory = _Memory(size=2)
_downloads: set[Path] = set()  # folders that they write to


def _read(spec: DatasetSpec, folder: Path) -> Splits:
    if spec.mapped:
        return spec.mapped()
    is_here = spec.fetch is None or _complete(spec, folder)
    arrays = _read_or_explain(spec, folder) if is_here else _fetch(spec, folder)
    images, labels, test_images, test_labels = (torch.tensor(array) for array in arrays)
    return Split(images, labels.long()), Split(test_images, test_labels.long())


def _complete(spec: DatasetSpec, folder: Path) -> bool:
    return all((folder / file).exists() or (folder / f"{file}.gz").exists() for file in spec.files)


def _read_or_explain(spec: DatasetSpec, folder: Path) -> Arrays:
    assert spec.read
    try:
        arrays = spec.read(folder)
        _check(spec, arrays)
    except MemoryError:
        raise
    except Exception as error:  # readers of five formats, given any bytes
        mend = "delete its files to fetch them again" if spec.fetch else "get CNN Lab's files again"
        raise DatasetError(f"{spec.title} in {folder} is damaged ({_one_line(error)}): {mend}") from error
    return arrays


def _check(spec: DatasetSpec, arrays: Arrays) -> None:
    """Raise ValueError where files are not the data set's, or disagree with one another."""
    for name, images, labels in (("training", *arrays[:2]), ("test", *arrays[2:])):
        if images.dtype != np.uint8 or images.shape[1:] != spec.shape:
            raise ValueError(f"its {name} images are {images.dtype} of shape {images.shape[1:]}, not {spec.shape}")
        if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
            raise ValueError(f"its {name} labels are {labels.dtype} of shape {labels.shape}, not whole numbers")
        if len(images) != len(labels):
            raise ValueError(f"it has {len(images)} {name} images and {len(labels)} labels")
        if not len(images):
            raise ValueError(f"it has no {name} images")
        if labels.min() < 0 or labels.max() >= len(spec.classes):
            raise ValueError(f"its {name} labels are {labels.min()} to {labels.max()}, not below {len(spec.classes)}")
    if np.bincount(arrays[1]).max() < 2:
        raise ValueError("it has so few training images that none would be left beside validation")


def _fetch(spec: DatasetSpec, folder: Path) -> Arrays:
    """Download aside, read, then move into ``folder``: an interrupted download leaves nothing behind."""
    assert spec.fetch is not None
    writable = _make_writable(folder)
    with _staging(spec, folder if writable else None) as staging:
        for archive in spec.archives:
            if (folder / archive).exists():
                (staging / archive).symlink_to((folder / archive).resolve())
        try:
            spec.fetch(staging)
        except (URLError, OSError, RuntimeError, EOFError) as error:
            raise DatasetError(
                f"{spec.title} is not in {folder} and could not be downloaded ({_one_line(error)}). Connect to the "
                f"internet and try again, put its files ({', '.join(spec.files[:2])}, …) there, or choose "
                "mnist-sample, which needs no download"
            ) from error
        arrays = _read_or_explain(spec, staging)
        if writable:
            for file in spec.files:
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.move(staging / file, folder / file)
    return arrays


@contextmanager
def _staging(spec: DatasetSpec, folder: Path | None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix=f".fetching-{spec.name}-", dir=folder) as name:
        staging = Path(name)
        _downloads.add(staging)
        try:
            yield staging
        finally:
            _downloads.discard(staging)


def _drop_downloads() -> None:
    """Delete unfinished downloads when the process ends."""
    for staging in list(_downloads):
        shutil.rmtree(staging, ignore_errors=True)


def _make_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def _one_line(error: BaseException) -> str:
    reason = error.reason if isinstance(error, URLError) else error
    if isinstance(reason, TimeoutError):
        return "the server does not answer"
    return " ".join(str(reason).split())[:200] or type(error).__name__
