"""Writing what a version is made of: the pixels as one safetensors file, and what describes the pictures."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from hashlib import blake2b, file_digest
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from cnnlab.data.pictures.features import Halves, Images, Pixels
from cnnlab.data.pictures.version import PictureSetError

BLOCK_BYTES = 16_000_000  # of pictures copied at once; in floating point they are four times as many
REC_601 = np.array([0.299, 0.587, 0.114], np.float32)  # how much of red, green and blue makes grey
FEATURES_KEY = "features"


def blocks(images: Images) -> Iterator[Pixels]:
    """Yield some images after others, as many as may be copied at once."""
    at_once = max(1, BLOCK_BYTES // images[:1].size)
    yield from (images[start : start + at_once] for start in range(0, len(images), at_once))


def to_grey(images: Pixels) -> Pixels:
    """Turn colour images (N, 3, H, W) into grey ones (N, 1, H, W)."""
    grey: Pixels = np.einsum("bchw,c->bhw", images, REC_601, dtype=np.float32).round().astype(np.uint8)[:, None]
    return grey


def write_pixels(
    folder: Path, images: Iterable[Pixels], shape: tuple[int, int, int], is_train: npt.NDArray[np.bool_]
) -> tuple[str, tuple[float, ...], tuple[float, ...]]:
    """Write blocks of images; return the file's name, and mean and deviation in 0…1 of those where ``is_train``.

    The name tells what is in it, and in the file of previews, which goes with it.
    """
    channels, height, width = shape
    sums = np.zeros((2, channels))
    written = 0
    with (folder / "pixels").open("wb") as file:
        file.write(_header((len(is_train), *shape)))
        for block in images:
            file.write(block.tobytes())
            seen = block[is_train[written : written + len(block)]].astype(np.float32) / 255
            sums += [seen.sum((0, 2, 3), dtype=np.float64), (seen**2).sum((0, 2, 3), dtype=np.float64)]
            written += len(block)
    name = pixels_name(folder / "pixels", folder / "previews")
    (folder / "pixels").rename(folder / name)
    mean, square = sums / (is_train.sum() * height * width)
    std = np.sqrt(np.maximum(square - mean**2, 0)).clip(1e-3)
    return name, tuple(mean.round(4).tolist()), tuple(std.round(4).tolist())


def pixels_name(pixels: Path, previews: Path) -> str:
    """Name a file of pixels by what is in it and in the file of previews that goes with it."""
    digest = blake2b(digest_size=8)
    for path in (pixels, previews):
        with path.open("rb") as file:
            digest.update(file_digest(file, "sha256").digest())
    return f"pixels-{digest.hexdigest()}.safetensors"


def _header(shape: tuple[int, ...]) -> bytes:
    """Return what a safetensors file of one uint8 tensor begins with, padded so that pixels start at whole words."""
    about = {"images": {"dtype": "U8", "shape": shape, "data_offsets": [0, int(np.prod(shape))]}}
    text = json.dumps(about).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def read_features(path: Path) -> Halves:
    """Read what ``write_features`` wrote. Raises PictureSetError."""
    try:
        with safe_open(path, "np") as file:
            found: Halves = file.get_tensor(FEATURES_KEY)
    except (OSError, SafetensorError) as error:
        raise PictureSetError("what describes the pictures is missing or damaged: add them again") from error
    return found


def write_features(path: Path, features: Halves) -> None:
    """Write what describes each picture (N, F)."""
    save_file({FEATURES_KEY: features}, path)
