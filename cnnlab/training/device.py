"""What the machine at hand offers a training, and the one rule for what it uses.

On CUDA and on a CPU convolutions run channels-last, optimisers fused, and arithmetic in 16 bits where the device
has matrix units for it (CUDA's tensor cores, AMX on a CPU), for they gain nothing without. ``torch.compile`` is not
used: on a CPU it took seconds to start and then ran slower. What each is worth is in docs/benchmarks.md.
"""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import nn

from cnnlab.training.config import ConfigError, RunConfig

CHANNELS_LAST = ("cpu", "cuda")
FUSED = ("cpu", "cuda")
CORES_EACH = 4  # a small network gains little from more

_TOO_SLOW = {"cpu": "float16"}  # no kernels of its own

# Parameters of glibc's mallopt, and the largest threshold it takes for separate mappings.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_MAPPED_FROM = 32 * 2**20  # bytes
_KEPT = 512 * 2**20  # bytes


@dataclass(frozen=True)
class Accelerator:
    """Where a training computes, and in which precision."""

    device: torch.device
    precision: torch.dtype  # of autocast; float32: none

    @classmethod
    def of(cls, config: RunConfig) -> Accelerator:
        """Choose what ``config`` asks for. Raises ConfigError where the device is missing or too slow in it."""
        device = choose_device(config.device)
        return cls(device, choose_precision(config.precision, device))

    @property
    def layout(self) -> torch.memory_format:
        """How weights and feature maps lie in memory."""
        return torch.channels_last if self.device.type in CHANNELS_LAST else torch.contiguous_format

    def autocast(self) -> torch.autocast:
        """Compute in the precision where PyTorch finds that safe, inside ``with``."""
        return torch.autocast(self.device.type, self.precision, enabled=self.precision != torch.float32)

    def place(self, network: nn.Module) -> nn.Module:
        """Move ``network`` to the device and into the layout; return it."""
        return network.to(self.device).to(memory_format=self.layout)  # type: ignore[call-overload, no-any-return]

    def scaler(self) -> torch.amp.GradScaler:
        """Make what keeps the gradients of float16 from vanishing; it does nothing in other precisions."""
        return torch.amp.GradScaler(self.device.type, enabled=self.precision == torch.float16)


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


def precisions() -> list[str]:
    """What can be asked of at least one device here, ``auto`` first."""
    names = ("auto", "float32", "bfloat16", "float16")
    return [name for name in names if any(_TOO_SLOW.get(device) != name for device in devices())]


def choose_precision(wanted: str, device: torch.device) -> torch.dtype:
    """The autocast type for a RunConfig's ``precision``; float32 means no autocast.

    Raises ConfigError where the device is hopelessly slow in it.
    """
    if _TOO_SLOW.get(device.type) == wanted:
        raise ConfigError(
            f"precision: {wanted} is a hundred times slower than float32 on a {device.type.upper()}: choose auto (a "
            "run that has it goes on as a branch with auto)"
        )
    if wanted != "auto":
        return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[wanted]
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    if device.type == "cpu" and torch.cpu.get_capabilities().get("amx_bf16"):
        return torch.bfloat16
    return torch.float32


def for_this_machine(config: RunConfig) -> RunConfig:
    """The same for this machine: ``auto`` where its device is not here, or its precision too slow on it."""
    device = config.device if config.device in devices() else "auto"
    is_slow = _TOO_SLOW.get(choose_device(device).type) == config.precision
    return config.model_copy(update={"device": device, "precision": "auto" if is_slow else config.precision})


def compute_exactly(device: torch.device) -> None:
    """Have CUDA compute as a CPU does: in full 32 bits where nothing less was asked for, and the same again each time.

    By default its convolutions round to TensorFloat-32 (10 bits of fraction), and its kernels add in any order. Where
    PyTorch has no kernel that keeps an order it warns, and last digits may differ from one time to the next.
    """
    if device.type != "cuda":
        return
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when the first matrices are multiplied
    torch.backends.cudnn.benchmark = False
    torch.use_deterministic_algorithms(True, warn_only=True)
    # Nothing here reads what it did not write.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def wait_for(device: torch.device) -> None:
    """Wait until ``device`` has done all it was asked; a CPU has."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)


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


def trainings_at_once(on_gpu: bool = False) -> int:
    """How many may train at the same time: the environment's CNNLAB_TRAININGS, else one a GPU, else as there are cores.

    Trainings that share a GPU share its memory too, and gain nothing.
    """
    return max(1, int(os.environ.get("CNNLAB_TRAININGS") or (1 if on_gpu else available_cores() // CORES_EACH)))


def threads_each() -> int:
    """Threads of torch for one training: the cores shared, so that all together have no more threads than cores."""
    return max(1, available_cores() // trainings_at_once())


def available_cores() -> int:
    """Cores this process may run on, fewer than the machine's in a container or under taskset."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
