"""Writing what a version is made of: the pixels as one safetensors file, and what describes the pictures."""

from __future__ import annotations

import json
from hashlib import blake2b, file_digest
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file

from cnnlab.data.pictures.features import Floats

BLOCK = 2_048  # pictures copied at once
REC_601 = np.array([0.299, 0.587, 0.114], np.float32)  # how much of red, green and blue makes grey
FEATURES_KEY = "features"


def write_pixels(
    folder: Path, raw: npt.NDArray[np.uint8], order: npt.NDArray[np.int64], train: int, is_grey: bool
) -> tuple[str, tuple[float, ...], tuple[float, ...]]:
    """Write the pixels in ``order``; return the file's name, and mean and deviation of the first ``train`` in 0…1.

    The name tells what is in it, and in the file of previews, which goes with it.
    """
    channels, side = 1 if is_grey else 3, raw.shape[-1]
    digest = blake2b(digest_size=8)
    sums = np.zeros((2, channels))
    with (folder / "pixels").open("wb") as file:
        file.write(_header((len(order), channels, side, side)))
        for start in range(0, len(order), BLOCK):
            block = raw[order[start : start + BLOCK]]  # (B, 3, S, S)
            if is_grey:
                block = np.einsum("bchw,c->bhw", block, REC_601, dtype=np.float32).round().astype(np.uint8)[:, None]
            digest.update(block.tobytes())
            file.write(block.tobytes())
            seen = block[: max(0, train - start)].astype(np.float32) / 255
            sums += [seen.sum((0, 2, 3), dtype=np.float64), (seen**2).sum((0, 2, 3), dtype=np.float64)]
    with (folder / "previews").open("rb") as file:
        digest.update(file_digest(file, "sha256").digest())
    name = f"pixels-{digest.hexdigest()}.safetensors"
    (folder / "pixels").rename(folder / name)
    mean, square = sums / (train * side * side)
    std = np.sqrt(np.maximum(square - mean**2, 0)).clip(1e-3)
    return name, tuple(mean.round(4).tolist()), tuple(std.round(4).tolist())


def _header(shape: tuple[int, ...]) -> bytes:
    """Return what a safetensors file of one uint8 tensor begins with, padded so that pixels start at whole words."""
    about = {"images": {"dtype": "U8", "shape": shape, "data_offsets": [0, int(np.prod(shape))]}}
    text = json.dumps(about).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def write_features(path: Path, features: Floats) -> None:
    """Write what describes each picture (N, F), in 16 bits."""
    save_file({FEATURES_KEY: features.astype(np.float16)}, path)
