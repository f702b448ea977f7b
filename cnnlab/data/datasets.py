"""Data sets: one table, three splits each, images as one uint8 tensor per split."""

from __future__ import annotations

import gzip
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import blake2b
from math import prod
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.error import URLError

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from cnnlab.drawings.preprocess import prepare, stroke_ink
from cnnlab.drawings.strokes import Lesson
from cnnlab.networks.architecture import norm_over_images
from cnnlab.networks.layers import Shape
from cnnlab.threads import Worker
from cnnlab.training.config import ConfigError, RunConfig

Array = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.integer[Any]]
Arrays = tuple[Array, Labels, Array, Labels]  # train images (N, C, H, W), labels (N,), test images, labels
Tensors = tuple[Tensor, Tensor, Tensor, Tensor]  # the same

DIGITS = tuple("0123456789")
SAMPLE = Path(__file__).parent / "samples" / "mnist-5000.npz"
PREPARED_AT_ONCE = 2048  # images at the most
PREPARED_NUMBERS = PREPARED_AT_ONCE * 3 * 32 * 32  # in them
SAMPLE_TEST_SEED = 5000  # fixes which tenth of the sample is its test split, whatever a run's seed


class DatasetError(RuntimeError):
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
    read: Callable[[Path], Arrays]  # from the data folder
    fetch: Callable[[Path], None] | None = None  # downloads into a folder; None needs no download
    archives: tuple[str, ...] = ()  # downloads that, lying in the folder, save the download

    @property
    def is_light_on_dark(self) -> bool:
        """Whether its images are light things on black: pixels then deviate more from their mean than that from 0."""
        return all(std > mean for mean, std in zip(self.mean, self.std, strict=True))


@dataclass(frozen=True)
class Split:
    """Images (N, C, H, W) uint8 and labels (N,) int64."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def part(self, chosen: Tensor | slice) -> Split:
        """The images an index, a mask or a slice chooses."""
        return Split(self.images[chosen], self.labels[chosen])

    def to(self, device: torch.device) -> Split:
        """The same split, resident on ``device``."""
        return Split(self.images.to(device, non_blocking=True), self.labels.to(device, non_blocking=True))


class Standardise:
    """Pixels in 0…1 (N, C, H, W) → (pixels − mean) / std, per channel."""

    def __init__(self, mean: Sequence[float], std: Sequence[float], device: torch.device | str = "cpu") -> None:
        self._scale = 1 / torch.tensor(std, device=device).view(-1, 1, 1)
        self._offset = -torch.tensor(mean, device=device).view(-1, 1, 1) * self._scale

    def __call__(self, pixels: Tensor) -> Tensor:
        return (pixels * self._scale).add_(self._offset)


@dataclass(frozen=True)
class Data:
    """A loaded data set. Validation guides the choices; test gives the final score."""

    spec: DatasetSpec
    train: Split
    validation: Split
    test: Split


def data_folder() -> Path:
    """Where data sets lie: the environment's CNNLAB_DATA, else ``data/`` beside the app."""
    return Path(os.environ.get("CNNLAB_DATA") or Path(__file__).parents[2] / "data").expanduser()


def dataset_spec(name: str) -> DatasetSpec:
    """The entry of DATASETS. Raises DatasetError with the names there are."""
    if name not in DATASETS:
        raise DatasetError(f"unknown data set {name!r}: choose one of {', '.join(DATASETS)}")
    return DATASETS[name]


def load(
    name: str,
    validation_fraction: float = 0.1,
    seed: int = 0,
    folder: Path | None = None,
    train_fraction: float = 1.0,
) -> Data:
    """Load a data set, downloading it where its files are not in ``folder`` (default: ``data_folder()``).

    Validation is a stratified part of the training images, the same for the same seed; of what it leaves,
    ``train_fraction`` is kept to train on, stratified too.
    Raises DatasetError for an unknown name, damaged files or a failed download.
    """
    whole, test = _whole(name, folder)
    return divided(dataset_spec(name), whole, test, validation_fraction, seed, train_fraction)


def divided(
    spec: DatasetSpec, whole: Split, test: Split, validation_fraction: float, seed: int, train_fraction: float
) -> Data:
    """Hold validation out of the training images ``whole``; the fractions and the seed as in ``load``."""
    chosen = stratified(whole.labels, validation_fraction, seed)
    train = whole.part(~chosen)
    return Data(
        spec=spec,
        train=train if train_fraction == 1 else train.part(stratified(train.labels, train_fraction, seed)),
        validation=whole.part(chosen),
        test=test,
    )


def load_for(config: RunConfig, folder: Path | None = None) -> Data:
    """The data of a run: the splits that its config decides, its lessons among the training images; as ``load``."""
    data = load(config.dataset, config.validation_fraction, config.held_out_by, folder, config.train_fraction)
    return taught(data, config.lessons, config.lesson_share) if config.lessons else data


def taught(data: Data, lessons: Sequence[Lesson], share: float) -> Data:
    """The data with ``lessons`` among its training images, where in turn they are ``share`` of all.

    Each is there at least once. Raises DatasetError as ``lesson_images`` does.
    """
    own = lesson_images(lessons, data.spec)
    copies = max(round(share / (1 - share) * len(data.train)), len(own))
    chosen = torch.arange(copies) % len(own)
    images = torch.cat([data.train.images, own.images[chosen]])
    labels = torch.cat([data.train.labels, own.labels[chosen]])
    return replace(data, train=Split(images, labels))


def lesson_images(lessons: Sequence[Lesson], spec: DatasetSpec) -> Split:
    """Labelled drawings as images of the data set's kind, in their order. Raises as ``check_lessons`` does."""
    check_lessons(lessons, spec)
    height, width = spec.shape[1:]
    images = torch.cat([prepare(stroke_ink(lesson), (height, width)) for lesson in lessons])
    return Split(images, torch.tensor([spec.classes.index(lesson.label) for lesson in lessons]))


def check_lessons(lessons: Sequence[Lesson], spec: DatasetSpec) -> None:
    """Raises DatasetError where the data set's images are no drawings, or a label is none of its classes."""
    if not spec.is_drawn or spec.shape[0] != 1:
        raise DatasetError(f"{spec.title} has no drawn characters: own drawings cannot be taught beside it")
    unknown = sorted({lesson.label for lesson in lessons} - set(spec.classes))
    if unknown:
        raise DatasetError(f"{spec.title} has no class {unknown[0]!r}: label drawings {', '.join(spec.classes)}")


def fingerprints(images: Tensor) -> npt.NDArray[np.uint64]:
    """64 bits of each image (N, C, H, W) uint8: alike for the same pixels, and else by no chance worth a thought."""
    pixels = images.cpu().contiguous().numpy()
    digests = b"".join(blake2b(image, digest_size=8).digest() for image in pixels)
    return np.frombuffer(digests, np.uint64)


def load_test(name: str, folder: Path | None = None) -> Split:
    """The test images alone, which need no splitting; as ``load``."""
    return _whole(name, folder)[1]


def load_train(name: str, folder: Path | None = None) -> Split:
    """All training images, as they lie in the data set, before validation is held out of them; as ``load``."""
    return _whole(name, folder)[0]


def fetch(name: str, folder: Path | None = None) -> Future[Tensors]:
    """Begin to load a data set whole, unless it is in memory: the future is done when ``load`` takes no more time.

    Raises DatasetError for an unknown name; other failures are the future's.
    """
    return _memory.ask(dataset_spec(name).name, folder or data_folder())


def downloaded_bytes(name: str, folder: Path | None = None) -> int:
    """Bytes of a download that is under way, for a progress bar; 0 where there is none."""
    total = 0
    for staging in (folder or data_folder()).glob(f".fetching-{name}-*"):
        for path in staging.rglob("*"):
            try:
                total += path.stat().st_size * (path.is_file() and not path.is_symlink())
            except FileNotFoundError:  # torchvision renames and removes as it goes
                continue
    return total


def is_present(name: str, folder: Path | None = None) -> bool:
    """Whether a data set can be read without a download."""
    spec = dataset_spec(name)
    where = folder or data_folder()
    return _complete(spec, where) or (bool(spec.archives) and all((where / file).exists() for file in spec.archives))


Parting = Callable[[Tensor, int], Sequence[Tensor]]


def split_joining_single(items: Tensor, size: int) -> Sequence[Tensor]:
    """``items`` in parts of ``size``, the rest last; a rest of one joins the part before it, if there is one."""
    parts, rest = divmod(len(items), size)
    if rest != 1 or not parts:
        return torch.split(items, size)
    return torch.split(items, [size] * (parts - 1) + [size + 1])


def check_batches(config: RunConfig, spec: DatasetSpec, images: int | None = None) -> bool:
    """Whether a last batch of a single image must join the one before it, for batch norm needs two numbers to compare.

    Raises ConfigError where every batch of the ``images`` to train on (not known before they are read) holds one.
    """
    norm = norm_over_images(config.architecture, spec.shape, len(spec.classes))
    if norm and config.batch_size == 1:
        raise ConfigError(f"batch_size: {norm} compares the images of a batch, so a batch needs two: choose 2 or more")
    if norm and images == 1:
        raise ConfigError(f"train_fraction: {norm} compares the images of a batch, and there is only one: raise it")
    return bool(norm)


def batches(
    split: Split, size: int, generator: torch.Generator | None = None, parting: Parting = torch.split
) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of (images, labels); with a generator in shuffled order, else as they lie."""
    if generator is None:
        yield from zip(split.images.split(size), split.labels.split(size), strict=True)
        return
    order = torch.randperm(len(split), generator=generator, device=generator.device)
    for chosen in parting(order.to(split.labels.device), size):
        yield split.images.index_select(0, chosen), split.labels.index_select(0, chosen)


def prepared_batches(
    split: Split,
    size: int,
    generator: torch.Generator,
    prepare: Callable[[Tensor, Tensor], Tensor],
    parting: Parting = torch.split,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Shuffled batches, as ``parting`` makes them, whose images went through ``prepare(images, labels)``.

    Small batches are prepared several at once, for there an operation costs as much for 32 images as for 1,000.
    """
    at_once = prepared_at_once(size, split.images.shape[1:])
    for images, labels in batches(split, at_once, generator, parting):
        yield from zip(parting(prepare(images, labels), size), parting(labels, size), strict=True)


def prepared_at_once(size: int, shape: Sequence[int]) -> int:
    """How many images of ``shape`` = (C, H, W): whole batches of ``size``."""
    return max(1, min(PREPARED_AT_ONCE, PREPARED_NUMBERS // prod(shape)) // size) * size


def scaling(spec: DatasetSpec, normalise: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation per channel, in units of pixels in 0…1, of a RunConfig's ``normalise``."""
    channels = spec.shape[0]
    return {
        "standard": (spec.mean, spec.std),
        "unit": ((0.0,) * channels, (1.0,) * channels),
        "symmetric": ((0.5,) * channels, (0.5,) * channels),
    }[normalise]


def _whole(name: str, folder: Path | None) -> tuple[Split, Split]:
    """All training images and all test images."""
    images, labels, test_images, test_labels = fetch(name, folder).result()
    return Split(images, labels), Split(test_images, test_labels)


def _read(name: str, folder: Path) -> Tensors:
    spec = DATASETS[name]
    is_here = spec.fetch is None or _complete(spec, folder)
    arrays = _read_or_explain(spec, folder) if is_here else _fetch(spec, folder)
    images, labels, test_images, test_labels = (torch.tensor(array) for array in arrays)
    return images, labels.long(), test_images, test_labels.long()


class _Memory:
    """The data sets asked for last, in memory or on their way there; shared by all runs, for nothing writes to them.

    Each is loaded in a thread of its own, once for all who ask, and holds up nobody who asks for another.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._loads: dict[tuple[str, Path], Future[Tensors]] = {}  # the one asked for last is the last
        self._lock = Lock()

    def ask(self, name: str, folder: Path) -> Future[Tensors]:
        with self._lock:
            load = self._loads.pop((name, folder), None) or self._begun(name, folder)
            self._loads[name, folder] = load
            for key in list(self._loads)[: -self._size]:
                if self._loads[key].done():
                    del self._loads[key]
            return load

    def clear(self) -> None:
        with self._lock:
            self._loads.clear()

    def _begun(self, name: str, folder: Path) -> Future[Tensors]:
        load: Future[Tensors] = Future()
        Worker(lambda: self._load(name, folder, load), _drop_downloads, f"load {name}", is_left=True).start()
        return load

    def _load(self, name: str, folder: Path, load: Future[Tensors]) -> None:
        try:
            load.set_result(_read(name, folder))
        except Exception as error:
            with self._lock:  # whoever asks next tries again
                if self._loads.get((name, folder)) is load:
                    del self._loads[name, folder]
            load.set_exception(error)


_memory = _Memory(size=2)
_downloads: set[Path] = set()  # folders that they write to


def _complete(spec: DatasetSpec, folder: Path) -> bool:
    return all((folder / file).exists() or (folder / f"{file}.gz").exists() for file in spec.files)


def _read_or_explain(spec: DatasetSpec, folder: Path) -> Arrays:
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
    """Raises ValueError where files are not the data set's, or disagree with one another."""
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
    """Leave none behind where the process ends in the midst of them."""
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


def stratified(labels: Tensor, fraction: float, seed: int) -> Tensor:
    """A mask (N,) that is True for the same share of every class, drawn anew for each seed."""
    generator = torch.Generator().manual_seed(seed)
    mask = torch.zeros(len(labels), dtype=torch.bool)
    for label in labels.unique():
        members = (labels == label).nonzero().flatten()
        order = torch.randperm(len(members), generator=generator)
        mask[members[order[: max(1, round(fraction * len(members)))]]] = True
    return mask


def drawn(split: Split, count: int, seed: int = 0) -> Split:
    """About ``count`` images of a split, the same share of every class at random; all where there are no more.

    Data sets are ordered: MNIST's first 5,000 test images are easier than its last.
    """
    return split if len(split) <= count else split.part(stratified(split.labels, count / len(split), seed))


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
    """The array of an IDX file of unsigned bytes (LeCun's format), or of its gzipped copy.

    Raises ValueError where the file is not what its header says.
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
    """Its data sets, imported late: that takes a second which the embedded sample never needs."""
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
    """Downloads through torchvision, which checks its checksums; each variant is one constructor call."""

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
DATASETS: dict[str, DatasetSpec] = {spec.name: spec for spec in _SPECS}
