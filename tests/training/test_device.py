from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from typing import get_args

import pytest
import torch
from torch import nn

from cnnlab.networks.build import build
from cnnlab.training import device as devices
from cnnlab.training import loop
from cnnlab.training.config import ConfigError, RunConfig
from cnnlab.training.device import Accelerator, threads_each, trainings_at_once
from cnnlab.training.recipes import RECIPES
from tests.samples import TINY, few_digits

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


@pytest.mark.parametrize(
    ("wanted", "device"), [("float32", "cpu"), ("bfloat16", "cpu"), ("float16", "cuda"), ("float16", "mps")]
)
def test_a_precision_asked_for_is_taken(wanted: str, device: str) -> None:
    assert devices.choose_precision(wanted, torch.device(device)) == getattr(torch, wanted)


def test_a_cpu_is_not_asked_for_the_16_bits_that_it_is_slow_in(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"precision: float16 is a hundred times slower .* on a CPU: choose auto"):
        devices.choose_precision("float16", CPU)
    monkeypatch.setattr(devices, "devices", lambda: ["cpu"])
    assert devices.precisions() == ["auto", "float32", "bfloat16"]
    monkeypatch.setattr(devices, "devices", lambda: ["cuda", "cpu"])
    assert devices.precisions() == list(get_args(RunConfig.model_fields["precision"].annotation))


def test_no_recipe_asks_for_what_a_cpu_is_slow_in() -> None:
    assert all(devices.choose_precision(recipe.config.precision, CPU) for recipe in RECIPES.values())


def test_mps_keeps_the_plain_layout_for_nobody_measured_another() -> None:
    assert Accelerator(CPU, torch.float32).layout == torch.channels_last
    assert Accelerator(torch.device("mps"), torch.float32).layout == torch.contiguous_format


def test_a_network_is_placed_in_the_layout_and_computes_in_the_precision() -> None:
    accelerator = Accelerator(CPU, torch.bfloat16)
    network = accelerator.place(nn.Conv2d(3, 4, 3))
    assert network.get_parameter("weight").is_contiguous(memory_format=torch.channels_last)
    with accelerator.autocast():
        assert network(torch.zeros(1, 3, 5, 5)).dtype == torch.bfloat16
    with Accelerator(CPU, torch.float32).autocast():
        assert network(torch.zeros(1, 3, 5, 5)).dtype == torch.float32


def test_where_the_c_library_is_another_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    devices.keep_freed_memory.cache_clear()
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    assert devices.keep_freed_memory() is False
    devices.keep_freed_memory.cache_clear()


Exactness = dict[str, object]


def exactness() -> Exactness:
    """What decides how exactly CUDA computes."""
    return {
        "convolutions round": torch.backends.cudnn.allow_tf32,
        "products round": torch.backends.cuda.matmul.allow_tf32,
        "in one order": torch.are_deterministic_algorithms_enabled(),
        "workspace": os.environ.get("CUBLAS_WORKSPACE_CONFIG"),
    }


@pytest.fixture
def inexact_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[Exactness]:
    """torch's own settings, put back afterwards."""
    rounded = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = True
    monkeypatch.setattr(torch.utils.deterministic, "fill_uninitialized_memory", True)
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "")
    del os.environ["CUBLAS_WORKSPACE_CONFIG"]  # which monkeypatch puts back as it was
    yield exactness()
    torch.use_deterministic_algorithms(False)
    torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = rounded


def test_cuda_computes_in_32_bits_and_the_same_each_time(inexact_before: Exactness) -> None:
    devices.compute_exactly(CPU)
    assert exactness() == inexact_before
    devices.compute_exactly(torch.device("cuda"))
    assert list(exactness().values()) == [False, False, True, ":4096:8"]


def test_every_training_is_set_up_to_compute_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[torch.device] = []
    monkeypatch.setattr(loop, "compute_exactly", told.append)
    loop.Training(build(TINY, (1, 28, 28), 10), few_digits(), RunConfig(architecture=TINY, device="cpu"))
    assert told == [CPU]


@pytest.mark.parametrize(
    ("cores", "asked", "at_once", "threads"),
    [(2, "", 1, 2), (8, "", 2, 4), (16, "3", 3, 5), (1, "", 1, 1), (2, "5", 5, 1), (4, "0", 1, 4)],
)
def test_the_limit_follows_the_machine_and_threads_never_outnumber_its_cores(
    cores: int, asked: str, at_once: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "available_cores", lambda: cores)
    monkeypatch.setenv("CNNLAB_TRAININGS", asked)
    assert (trainings_at_once(), threads_each()) == (at_once, threads)
    assert (threads_each(1), threads_each(99)) == (1, threads)


@pytest.mark.parametrize(("asked", "at_once"), [("", 1), ("3", 3)])
def test_a_gpu_is_one_trainings_however_many_cores_there_are(
    asked: str, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "available_cores", lambda: 64)
    monkeypatch.setenv("CNNLAB_TRAININGS", asked)
    assert trainings_at_once(on_gpu=True) == at_once
    assert threads_each() == 64 // (int(asked) if asked else 16)
