from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from cnnlab.training.meter import POINTS_PER_EPOCH, Meter
from tests.training.trainings import began, config, measured, train


@pytest.mark.parametrize("batch_size", [1, 3, 16, 64, 100])
def test_the_curves_points_divide_an_epoch_and_their_means_are_the_epochs(batch_size: int) -> None:
    events = train(config(epochs=1, batch_size=batch_size, optimizer="sgd", learning_rate=1e-3))[1]
    points = [event for event in events if event.kind == "step"]
    (epoch,) = [event for event in events if event.kind == "epoch"]
    assert 1 <= len(points) <= POINTS_PER_EPOCH
    assert points[-1].step == epoch.step
    assert points[-1].epoch == 1
    starts = [0, *(point.step for point in points)]
    images = [min(end * batch_size, 64) - start * batch_size for start, end in pairwise(starts)]
    mean = sum(point.loss * count for point, count in zip(points, images, strict=True)) / 64
    assert epoch.train_loss == pytest.approx(mean)


def test_metrics_are_read_a_few_times_a_second_and_lose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnlab.training.meter.READ_SECONDS", 0.0)
    _, eager = train(config(batch_size=2))
    monkeypatch.setattr("cnnlab.training.meter.READ_SECONDS", 1e9)
    _, patient = train(config(batch_size=2))
    assert measured(patient) == measured(eager)
    assert [event.kind for event in patient] != [event.kind for event in eager]


def test_with_mixed_labels_an_answer_counts_by_the_share_of_its_class() -> None:
    meter = Meter(step=0, steps_per_epoch=1, advice=str)
    shares = torch.tensor([[0.7, 0.3], [0.4, 0.6], [1.0, 0.0]])
    meter.add(torch.tensor(0.5), torch.eye(2)[[0, 0, 1]], shares, learning_rate=0.1)
    (point,) = meter.read()
    assert point.accuracy == pytest.approx((0.7 + 0.4 + 0.0) / 3)
    assert point.loss == pytest.approx(0.5)


class Queue:
    """A device that is given a step within a millisecond and does it in ten, and a clock that shows both."""

    def __init__(self) -> None:
        self.now = self.done = 0.0  # seconds: the program's, and when the device will have done all it has

    def clock(self) -> float:
        return self.now

    def give(self) -> None:
        self.now += 0.001
        self.done = max(self.done, self.now) + 0.01

    def told(self, read: Callable[[Tensor], object], tensor: Tensor) -> object:
        self.now = max(self.now, self.done)
        return read(tensor)


@pytest.mark.parametrize("read_seconds", [0.0, 0.05, 1e9])
def test_speeds_are_those_of_a_device_that_lags_behind(read_seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    queue, to_numbers, to_number = Queue(), Tensor.tolist, Tensor.item
    monkeypatch.setattr("cnnlab.training.meter.READ_SECONDS", read_seconds)
    monkeypatch.setattr("cnnlab.training.loop.perf_counter", queue.clock)
    monkeypatch.setattr("cnnlab.training.meter.perf_counter", queue.clock)
    monkeypatch.setattr(Tensor, "tolist", lambda tensor: queue.told(to_numbers, tensor))
    monkeypatch.setattr(Tensor, "item", lambda tensor: queue.told(to_number, tensor))
    training = began(config(batch_size=2, epochs=2))
    training.network.register_forward_pre_hook(lambda *_: queue.give())
    events = list(training.events())
    speeds = [event.images_per_second for event in events if event.kind in ("step", "epoch")]
    assert speeds == pytest.approx([2 / 0.01] * len(speeds), rel=0.1)
    assert training.seconds == pytest.approx(queue.now)
