"""What the machine at hand offers a training, and the one rule for what it uses.

On CUDA and on a CPU convolutions run channels-last, optimisers fused, and arithmetic in 16 bits where the device
has matrix units for it (CUDA's tensor cores, AMX on a CPU), for they gain nothing without. ``torch.compile`` is not
used: on a CPU it took seconds to start and then ran slower. What each is worth is in docs/benchmarks.md.
"""

from __future__ import annotations

import ctypes
from functools import lru_cache

import torch

from cnnlab.config import ConfigError

CHANNELS_LAST = ("cpu", "cuda")
FUSED = ("cpu", "cuda")

# Parameters of glibc's mallopt, and the largest threshold it takes for separate mappings.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_MAPPED_FROM = 32 * 2**20  # bytes
_KEPT = 512 * 2**20  # bytes


def devices() -> list[str]:
    """Devices found here, the fastest first; the last is always ``cpu``."""
    found = []
    if torch.cuda.is_available():
        found.append("cuda")
    if torch.backends.mps.is_available():
        found.append("mps")
    return [*found, "cpu"]


def choose_device(wanted: str) -> torch.device:
    """The device for a RunConfig's ``device``. Raises ConfigError where it is not there."""
    found = devices()
    if wanted not in ("auto", *found):
        raise ConfigError(f"device: there is no {wanted} device here: choose one of auto, {', '.join(found)}")
    return torch.device(found[0] if wanted == "auto" else wanted)


def choose_precision(wanted: str, device: torch.device) -> torch.dtype:
    """The autocast type for a RunConfig's ``precision``; float32 means no autocast."""
    if wanted != "auto":
        return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[wanted]
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    if device.type == "cpu" and torch.cpu.get_capabilities().get("amx_bf16"):
        return torch.bfloat16
    return torch.float32


def choose_layout(device: torch.device) -> torch.memory_format:
    """How weights and feature maps lie in memory."""
    return torch.channels_last if device.type in CHANNELS_LAST else torch.contiguous_format


@lru_cache(maxsize=1)
def keep_freed_memory() -> bool:
    """Have glibc keep what a step frees, up to half a gigabyte, for the next step; whether it could be told.

    By default it hands tensors back to the system at each step, which then clears every page of them anew: up to
    two fifths of a small network's time.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, _MAPPED_FROM) and mallopt(_M_TRIM_THRESHOLD, _KEPT))
