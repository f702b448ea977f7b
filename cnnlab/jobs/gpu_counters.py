"""The counters of an NVIDIA GPU: use, memory, energy. They need NVIDIA's package nvidia-ml-py, which is optional."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch

from cnnlab.training.resources import MB


class Reading(NamedTuple):
    """What all processes together take of a GPU."""

    percent: float
    memory_mb: float
    joules: float | None  # since its driver was loaded; None: it has no counter


class GpuCounters:
    """The counters of one GPU."""

    def __init__(self, library: Any, handle: Any) -> None:
        self._library = library
        self._handle = handle

    @classmethod
    def of(cls, device: torch.device) -> GpuCounters | None:
        """Find the counters of a device; None where it has none, or the package or its driver is missing."""
        if device.type != "cuda":
            return None
        try:
            import pynvml  # noqa: PLC0415 - optional
        except ImportError:
            return None
        try:
            pynvml.nvmlInit()
            name = f"GPU-{torch.cuda.get_device_properties(device).uuid}"
            return cls(pynvml, pynvml.nvmlDeviceGetHandleByUUID(name))
        except (pynvml.NVMLError, AttributeError, RuntimeError):
            return None

    def read(self) -> Reading | None:
        """Read the counters; None where the driver refuses."""
        try:
            percent = self._library.nvmlDeviceGetUtilizationRates(self._handle).gpu
            used = self._library.nvmlDeviceGetMemoryInfo(self._handle).used
        except self._library.NVMLError:
            return None
        return Reading(float(percent), used / MB, self._joules())

    def _joules(self) -> float | None:
        try:
            return float(self._library.nvmlDeviceGetTotalEnergyConsumption(self._handle)) / 1000  # from mJ
        except self._library.NVMLError:
            return None
