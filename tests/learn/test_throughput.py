"""Speed against batch size: what is measured, and what is told of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from cnnlab.data.datasets import DATASETS
from cnnlab.data.spec import DatasetSpec
from cnnlab.learn import throughput
from cnnlab.learn.throughput import Lane, Point, Speeds, lanes, measure_speeds, plateau
from cnnlab.networks.layers import BatchNorm1d, Linear
from cnnlab.training.config import ConfigError, RunConfig
from tests.samples import TINY

SAMPLE = DATASETS["mnist-sample"]
ONE = Lane("cpu", 1)


@pytest.fixture(autouse=True)
def same_threads() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def measured(config: RunConfig, *batch_sizes: int) -> list[Speeds]:
    return list(measure_speeds(config, SAMPLE, [ONE], batch_sizes))


def point(batch_size: int, images_a_second: float) -> Point:
    third = batch_size / images_a_second / 3
    return Point(ONE.title, batch_size, third, third, third, inference=third)


def test_a_point_comes_after_another_until_all_is_done() -> None:
    steps = measured(RunConfig(architecture=TINY), 2, 8)
    assert [[point.batch_size for point in step.of(ONE.title)] for step in steps] == [[2], [2, 8]]
    assert [step.done for step in steps] == [0.5, 1.0]
    last = steps[-1].points[-1]
    assert min(last.forward, last.backward, last.update, last.inference) > 0
    assert last.trained == pytest.approx(8 / (last.forward + last.backward + last.update))
    assert steps[-1].products[ONE.title] > 0
    assert steps[-1].macs == 26 * 26 * 9 * 2 + 6 * 6 * 2 * 10


def test_no_larger_batch_is_tried_behind_one_that_is_too_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throughput, "SLOWEST", 0.0)
    (only,) = measured(RunConfig(architecture=TINY), 2, 4, 8)
    assert [point.batch_size for point in only.points] == [2]
    assert only.done == 1.0


def test_memory_ends_a_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(config: RunConfig, spec: DatasetSpec) -> None:
        if config.batch_size > 2:
            raise ConfigError("batch_size: too large")

    monkeypatch.setattr(throughput, "check_memory", refuse)
    steps = measured(RunConfig(architecture=TINY), 2, 4, 8)
    assert [point.batch_size for point in steps[-1].points] == [2]
    assert steps[-1].done == 1.0


def test_too_little_memory_for_any_batch_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnlab.training.memory.free_bytes", lambda device: 10**6)
    with pytest.raises(ConfigError, match="GB of memory"):
        measured(RunConfig(architecture=TINY), 1, 2)


def test_a_batch_too_small_for_batch_norm_is_left_out() -> None:
    flat = TINY.model_copy(
        update={"layers": (*TINY.layers[:-1], Linear(out_features=4), BatchNorm1d(), TINY.layers[-1])}
    )
    steps = measured(RunConfig(architecture=flat), 1, 2)
    assert [point.batch_size for point in steps[-1].points] == [2]


def test_where_larger_batches_pay_no_longer() -> None:
    near, fastest = plateau([point(1, 100), point(8, 890), point(16, 905), point(32, 1000), point(64, 950)])
    assert (near.batch_size, fastest.batch_size) == (16, 32)


def test_every_device_has_its_lane_and_the_cpu_one_with_a_single_thread() -> None:
    titles = [lane.title for lane in lanes()]
    assert "CPU, 1 thread" in titles
    assert len(set(titles)) == len(titles)
    assert Lane("cuda", 4).title == "GPU"
