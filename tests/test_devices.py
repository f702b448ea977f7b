from __future__ import annotations

import ctypes

import pytest
import torch

from cnnlab import devices
from cnnlab.config import ConfigError

CPU = torch.device("cpu")


def test_the_cpu_is_always_there_and_last() -> None:
    assert devices.devices()[-1] == "cpu"
    assert devices.choose_device("auto").type == devices.devices()[0]


def test_a_missing_device_is_named_with_those_there() -> None:
    missing = next(name for name in ("cuda", "mps") if name not in devices.devices())
    with pytest.raises(ConfigError, match=f"no {missing} device here.*cpu"):
        devices.choose_device(missing)


@pytest.mark.parametrize(("has_matrix_units", "expected"), [(True, torch.bfloat16), (False, torch.float32)])
def test_a_cpu_computes_in_16_bits_only_with_matrix_units(
    has_matrix_units: bool, expected: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": has_matrix_units})
    assert devices.choose_precision("auto", CPU) == expected


@pytest.mark.parametrize("wanted", ["float32", "bfloat16", "float16"])
def test_a_precision_asked_for_is_taken(wanted: str) -> None:
    assert devices.choose_precision(wanted, CPU) == getattr(torch, wanted)


def test_mps_keeps_the_plain_layout_for_nobody_measured_another() -> None:
    assert devices.choose_layout(CPU) == torch.channels_last
    assert devices.choose_layout(torch.device("mps")) == torch.contiguous_format


def test_where_the_c_library_is_another_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    devices.keep_freed_memory.cache_clear()
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    assert devices.keep_freed_memory() is False
    devices.keep_freed_memory.cache_clear()
