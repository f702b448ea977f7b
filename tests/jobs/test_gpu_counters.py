from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch

from cnnlab.jobs.gpu_counters import GpuCounters, Reading

UUID = "5f0b9b1c-0000-1111-2222-333344445555"
GPU = torch.device("cuda", 0)


class NVMLError(Exception):
    pass


class Driver(SimpleNamespace):
    """NVIDIA's library with one GPU, as far as it is used."""

    def __init__(self, **functions: Any) -> None:
        super().__init__(
            NVMLError=NVMLError,
            nvmlInit=lambda: None,
            nvmlDeviceGetHandleByUUID=lambda name: {f"GPU-{UUID}": "handle"}[name],
            nvmlDeviceGetUtilizationRates=lambda handle: SimpleNamespace(gpu=73, memory=20),
            nvmlDeviceGetMemoryInfo=lambda handle: SimpleNamespace(used=1_500_000_000, total=2**34),
            nvmlDeviceGetTotalEnergyConsumption=lambda handle: 123_456,
        )
        vars(self).update(functions)


def refuses(*_: object) -> None:
    raise NVMLError("not supported")


def found(monkeypatch: pytest.MonkeyPatch, driver: Driver | None, device: torch.device = GPU) -> GpuCounters | None:
    monkeypatch.setitem(sys.modules, "pynvml", cast("Any", driver))
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: SimpleNamespace(uuid=UUID))
    return GpuCounters.of(device)


def test_use_memory_and_energy_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    counters = found(monkeypatch, Driver())
    assert counters
    assert counters.read() == Reading(percent=73.0, memory_mb=1500.0, joules=123.456)


def test_without_a_counter_there_is_no_energy(monkeypatch: pytest.MonkeyPatch) -> None:
    counters = found(monkeypatch, Driver(nvmlDeviceGetTotalEnergyConsumption=refuses))
    assert counters
    assert counters.read() == Reading(percent=73.0, memory_mb=1500.0, joules=None)


def test_a_driver_that_refuses_later_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    counters = found(monkeypatch, Driver(nvmlDeviceGetMemoryInfo=refuses))
    assert counters
    assert counters.read() is None


def test_without_the_package_its_driver_or_a_gpu_there_is_nothing_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(monkeypatch, None) is None
    assert found(monkeypatch, Driver(nvmlInit=refuses)) is None
    assert found(monkeypatch, Driver(nvmlDeviceGetHandleByUUID=refuses)) is None
    assert found(monkeypatch, Driver(), torch.device("cpu")) is None
