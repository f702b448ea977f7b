from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from cnnlab.data.batches import prepared_at_once
from cnnlab.data.datasets import DATASETS
from cnnlab.data.loading import load
from cnnlab.training import memory
from cnnlab.training.config import ConfigError, parse_config
from cnnlab.training.memory import SHORT_OF_MEMORY, check_memory, free_bytes, needs
from tests.conftest import ROOT

# A process that may have only so much: the estimate knows of no such limit. The large batch needs 3 GB; the small one
# has twice what it takes, for glibc keeps some 250 MB of what the first let go of.
STARVED = """
import resource, sys
from pathlib import Path
import psutil
from cnnlab.training.config import RunConfig
from cnnlab.jobs.job import Job
from cnnlab.runs.store import RunStore
resource.setrlimit(resource.RLIMIT_AS, [psutil.Process().memory_info().vms + 1300 * 2**20] * 2)
for batch_size, share in ((4000, 0.9), (64, 0.1)):
    config = RunConfig(batch_size=batch_size, precision="float32", train_fraction=share, epochs=1)
    job = Job.start(config, RunStore(Path(sys.argv[1])), threads=1)
    job.join()
    print(f"{job.state}: {job.error}")
"""

SAMPLE = DATASETS["mnist-sample"]


def test_needs_grow_with_what_takes_them() -> None:
    plain = needs(parse_config({}), SAMPLE)
    sizes = [needs(parse_config({"batch_size": size}), SAMPLE).activations for size in (1000, 2000, 3000)]
    assert plain.activations < sizes[0]
    assert sizes[2] - sizes[1] == sizes[1] - sizes[0] > 0
    assert needs(parse_config({"architecture": "small-vgg"}), SAMPLE).weights > plain.weights
    assert needs(parse_config({"optimizer": "sgd"}), SAMPLE).weights < plain.weights
    averaged = needs(parse_config({"weight_average": 0.9}), SAMPLE).weights
    assert averaged == needs(parse_config({"optimizer": "sgd"}), SAMPLE).weights / 4 * 6
    assert needs(parse_config({}), DATASETS["cifar10"]).images > plain.images


def test_activations_are_of_the_images_at_once() -> None:
    whole, parts, small = (
        needs(parse_config({"architecture": "small-resnet", **sizes}), SAMPLE)
        for sizes in ({"batch_size": 2048}, {"batch_size": 2048, "micro_batch": 512}, {"batch_size": 512})
    )
    assert parts.activations == small.activations < whole.activations / 2
    assert parts.weights == whole.weights


def test_own_pictures_that_are_mapped_take_no_memory() -> None:
    data = load("mnist-sample")
    spec = replace(DATASETS["cifar10"], mapped=lambda: (data.train, data.test))
    images = needs(parse_config({"device": "cpu"}), spec).images
    assert images == needs(parse_config({"device": "cpu"}), replace(spec, sizes=(9_000_000, 1_000_000))).images
    assert images < needs(parse_config({"device": "cpu"}), DATASETS["cifar10"]).images


def test_images_that_are_too_many_for_a_gpu_are_streamed_and_take_no_room_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = parse_config({})
    whole = needs(config, SAMPLE).images
    monkeypatch.setattr(memory, "room_for_images", lambda device: 4_499 * 28 * 28)
    assert needs(config, replace(SAMPLE, sizes=(4_500, 500))).images < whole
    assert needs(config, replace(SAMPLE, sizes=(4_499, 501))).images == whole


def test_large_images_are_prepared_in_smaller_batches() -> None:
    assert prepared_at_once(128, (3, 32, 32)) == prepared_at_once(128, (1, 28, 28)) == 2048
    assert prepared_at_once(128, (3, 224, 224)) == 128


@pytest.mark.parametrize("micro_batch", [0, 3000])
@pytest.mark.parametrize("batch_size", [4000, 10_000])  # the second is more than there are images
def test_a_batch_that_does_not_fit_is_refused_with_parts_of_it_that_do(
    batch_size: int, micro_batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = parse_config({"batch_size": batch_size, "micro_batch": micro_batch})
    monkeypatch.setattr(memory, "free_bytes", lambda device: needs(config, SAMPLE).total // 2)
    with pytest.raises(ConfigError, match=r"about \d+\.\d GB of memory, and \d+\.\d GB are free") as refusal:
        check_memory(config, SAMPLE)
    part = int(str(refusal.value).partition("micro_batch: ")[2].partition("set it to ")[2].split()[0])
    check_memory(config.model_copy(update={"micro_batch": part}), SAMPLE)


def test_a_batch_whose_images_alone_do_not_fit_is_refused_with_one_that_does(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = replace(DATASETS["cifar10"], shape=(3, 224, 224), sizes=(1000, 100))
    config = parse_config({"batch_size": 1000, "micro_batch": 4})
    monkeypatch.setattr(memory, "free_bytes", lambda device: needs(config, spec).total // 2)
    with pytest.raises(ConfigError, match="batch_size") as refusal:
        check_memory(config, spec)
    smaller = int(str(refusal.value).partition("lower it to ")[2].split()[0])
    check_memory(config.model_copy(update={"batch_size": smaller}), spec)


def test_a_network_that_never_fits_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free_bytes", lambda device: 1000)
    with pytest.raises(ConfigError, match="smaller network"):
        check_memory(parse_config({}), SAMPLE)


def test_a_containers_limit_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("700\n")
    (tmp_path / "memory.stat").write_text("file 300\ninactive_file 200\n")
    assert free_bytes(torch.device("cpu")) > 1000
    (tmp_path / "memory.max").write_text("1000\n")
    assert free_bytes(torch.device("cpu")) == 500


def test_what_torch_keeps_of_a_gpus_memory_for_later_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (1000, 9000))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 700)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 200)
    assert free_bytes(torch.device("cuda")) == 1500


@pytest.mark.slow
def test_a_training_without_memory_ends_alone_and_says_what_to_do(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-c", STARVED, tmp_path], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    assert told == f"failed: {SHORT_OF_MEMORY}\nfinished: \n"


def test_the_default_fits_here() -> None:
    check_memory(parse_config({}), SAMPLE)
