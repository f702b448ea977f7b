"""Writing what a version is made of: the pixels as one safetensors file, and what describes the pictures."""

from __future__ import annotations

import json
from hashlib import blake2b, file_digest
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from cnnlab.data.pictures.features import Halves
from cnnlab.data.pictures.raw import RawImages
from cnnlab.data.pictures.version import PictureSetError

BLOCK_BYTES = 16_000_000  # of pictures copied at once; in floating point they are four times as many
REC_601 = np.array([0.299, 0.587, 0.114], np.float32)  # how much of red, green and blue makes grey
FEATURES_KEY = "features"


def write_pixels(
    folder: Path, raw: RawImages, order: npt.NDArray[np.int64], train: int, is_grey: bool
) -> tuple[str, tuple[float, ...], tuple[float, ...]]:
    """Write the pixels in ``order``; return the file's name, and mean and deviation of the first ``train`` in 0…1.

    The name tells what is in it, and in the file of previews, which goes with it.
    """
    channels, side = 1 if is_grey else 3, raw.shape[-1]
    sums = np.zeros((2, channels))
    with (folder / "pixels").open("wb") as file:
        file.write(_header((len(order), channels, side, side)))
        at_once = max(1, BLOCK_BYTES // (3 * side * side))
        for start in range(0, len(order), at_once):
            block = raw[order[start : start + at_once]]  # (B, 3, S, S)
            if is_grey:
                block = np.einsum("bchw,c->bhw", block, REC_601, dtype=np.float32).round().astype(np.uint8)[:, None]
            file.write(block.tobytes())
            seen = block[: max(0, train - start)].astype(np.float32) / 255
            sums += [seen.sum((0, 2, 3), dtype=np.float64), (seen**2).sum((0, 2, 3), dtype=np.float64)]
    name = pixels_name(folder / "pixels", folder / "previews")
    (folder / "pixels").rename(folder / name)
    mean, square = sums / (train * side * side)
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
