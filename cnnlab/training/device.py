"""The devices and precisions of this machine, and the one rule for which of them a training uses.

On CUDA and on a CPU convolutions run channels-last, optimisers fused, and arithmetic in 16 bits where the device has
matrix units for it (CUDA's tensor cores, AMX on a CPU), because without them 16 bits are no faster. ``torch.compile``
is not used: on a CPU it took seconds to start and then ran slower. docs/benchmarks.md gives the effect of each.
"""

from __future__ import annotations

import ctypes
import os
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import nn

from cnnlab.training.config import ConfigError, RunConfig
from cnnlab.training.machine_kind import MachineKind

CHANNELS_LAST = ("cpu", "cuda")
FUSED = ("cpu", "cuda")
CORES_EACH = 4  # a small network gains little from more

_TOO_SLOW = {"cpu": "float16"}  # no kernels of its own
_UNITS = re.compile("(amx|avx|fma|sve|sme|neon|bf16|fp16|f16c|i8mm|dot).*")  # that work on numbers

# Parameters of glibc's mallopt, and the largest threshold it takes for separate mappings.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_MAPPED_FROM = 32 * 2**20  # bytes
_KEPT = 512 * 2**20  # bytes


@dataclass(frozen=True)
class Accelerator:
    """The device of a training, and its precision."""

    device: torch.device
    precision: torch.dtype  # of autocast; float32: no autocast

    @classmethod
    def of(cls, config: RunConfig) -> Accelerator:
        """Choose device and precision for ``config``. Raises ConfigError where the device is missing or too slow."""
        device = choose_device(config.device)
        return cls(device, choose_precision(config.precision, device))

    @property
    def layout(self) -> torch.memory_format:
        """The memory layout of weights and feature maps."""
        return torch.channels_last if self.device.type in CHANNELS_LAST else torch.contiguous_format

    def autocast(self) -> torch.autocast:
        """Return a context in which PyTorch computes in the precision where it considers that safe."""
        return torch.autocast(self.device.type, self.precision, enabled=self.precision != torch.float32)

    def place(self, network: nn.Module) -> nn.Module:
        """Move ``network`` to the device and into the layout; return it."""
        return network.to(self.device).to(memory_format=self.layout)  # type: ignore[call-overload, no-any-return]

    def scaler(self) -> torch.amp.GradScaler:
        """Make the gradient scaler that keeps float16 gradients from vanishing; it does nothing in other precisions."""
        return torch.amp.GradScaler(self.device.type, enabled=self.precision == torch.float16)


def devices() -> list[str]:
    """Return the devices of this machine, the fastest first; the last is always ``cpu``."""
    found = []
    if torch.cuda.is_available():
        found.append("cuda")
    if torch.backends.mps.is_available():
        found.append("mps")
    return [*found, "cpu"]


def choose_device(wanted: str) -> torch.device:
    """Return the device for a RunConfig's ``device``. Raises ConfigError where it is missing."""
    found = devices()
    if wanted not in ("auto", *found):
        raise ConfigError(f"device: there is no {wanted} device here: choose one of auto, {', '.join(found)}")
    return torch.device(found[0] if wanted == "auto" else wanted)


def precisions() -> list[str]:
    """Return the precisions that at least one device here supports, ``auto`` first."""
    names = ("auto", "float32", "bfloat16", "float16")
    return [name for name in names if any(_TOO_SLOW.get(device) != name for device in devices())]


def choose_precision(wanted: str, device: torch.device) -> torch.dtype:
    """Return the autocast type for a RunConfig's ``precision``; float32 means no autocast.

    Raises ConfigError where the device is far too slow in it.
    """
    if _TOO_SLOW.get(device.type) == wanted:
        raise ConfigError(
            f"precision: {wanted} is a hundred times slower than float32 on a {device.type.upper()}: choose auto (to "
            "continue such a run, branch off with auto)"
        )
    if wanted != "auto":
        return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[wanted]
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    if device.type == "cpu" and torch.cpu.get_capabilities().get("amx_bf16"):
        return torch.bfloat16
    return torch.float32


def machine_kind(device: torch.device) -> MachineKind:
    """Return the kind of this machine, for trainings on ``device``."""
    units = torch.cpu.get_capabilities()
    return MachineKind(
        system=f"{platform.system()} {platform.machine()}",
        processor=torch.backends.cpu.get_cpu_capability(),
        units=tuple(sorted(name for name, has in units.items() if has is True and _UNITS.fullmatch(name))),
        torch=torch.__version__,
        device=device.type,
        gpu=torch.cuda.get_device_name(device) if device.type == "cuda" else "",
    )


def for_this_machine(config: RunConfig) -> RunConfig:
    """Return ``config`` for this machine: ``auto`` where its device is missing, or its precision too slow on it."""
    device = config.device if config.device in devices() else "auto"
    is_slow = _TOO_SLOW.get(choose_device(device).type) == config.precision
    return config.model_copy(update={"device": device, "precision": "auto" if is_slow else config.precision})


def compute_exactly(device: torch.device) -> None:
    """Make CUDA compute as a CPU does: in full 32 bits unless autocast applies, and with the same result each time.

    By default its convolutions round to TensorFloat-32 (10 bits of fraction), and its kernels add in any order. Where
    PyTorch has no deterministic kernel it warns, and last digits may differ between runs.
    """
    if device.type != "cuda":
        return
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read at the first matrix multiplication
    torch.backends.cudnn.benchmark = False
    torch.use_deterministic_algorithms(True, warn_only=True)
    # No code here reads uninitialised memory.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def wait_for(device: torch.device) -> None:
    """Wait until ``device`` has finished all its work; a CPU already has."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)


@lru_cache(maxsize=1)
def keep_freed_memory() -> bool:
    """Make glibc keep up to half a gigabyte of freed memory for the next step; return whether that worked.

    By default it returns tensors' memory to the system at each step, which must then clear every page again: up to two
    fifths of a small network's time.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, _MAPPED_FROM) and mallopt(_M_TRIM_THRESHOLD, _KEPT))


def trainings_at_once(on_gpu: bool = False) -> int:
    """Return how many trainings may run at once: the environment's CNNLAB_TRAININGS, else one on a GPU, else by cores.

    Trainings that share a GPU share its memory too, and are no faster.
    """
    return max(1, int(os.environ.get("CNNLAB_TRAININGS") or (1 if on_gpu else available_cores() // CORES_EACH)))


def threads_each(wanted: int = 0) -> int:
    """Return the torch threads of one training: the cores divided by the trainings at once, or fewer ``wanted``."""
    each = max(1, available_cores() // trainings_at_once())
    return min(wanted or each, each)


def available_cores() -> int:
    """Return the cores that this process may run on, fewer than the machine's in a container or under taskset."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Give torch ``count`` threads in the calling thread within the ``with`` block, afterwards as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)  # applies only to the calling thread
    try:
        yield
    finally:
        torch.set_num_threads(before)
