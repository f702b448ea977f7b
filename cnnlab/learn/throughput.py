"""Images per second against batch size: training steps, part by part, and inference, measured on this machine."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter

import torch
import torch.nn.functional as F
from torch import Tensor

from cnnlab.data.spec import DatasetSpec
from cnnlab.learn.guesses import Ask, Guessable, Outcome
from cnnlab.networks.architecture import summarise
from cnnlab.networks.build import seed_dropout
from cnnlab.training.config import ConfigError, RunConfig
from cnnlab.training.device import (
    Accelerator,
    compute_exactly,
    devices,
    keep_freed_memory,
    threads_each,
    wait_for,
)
from cnnlab.training.epoch_time import median_seconds
from cnnlab.training.memory import check_memory
from cnnlab.training.optimizer import make_optimizer
from cnnlab.training.run_data import network_for

BATCH_SIZES = tuple(2**power for power in range(11))  # 1 … 1024 images
STEPS = 25  # per batch size, at most
PATIENCE = 0.25  # seconds of steps, three steps at least
SLOWEST = 1.5  # seconds of a step, after which no larger batch is tried
NEAR = 0.9  # share of the highest speed from which a larger batch no longer pays
PRODUCT = 1024  # rows and columns of the matrices that measure a device's peak speed


@dataclass(frozen=True)
class Lane:
    """A device and thread count to measure a network on."""

    device: str
    threads: int  # of torch; matters on a CPU only

    @property
    def title(self) -> str:
        if self.device != "cpu":
            return {"cuda": "GPU"}.get(self.device, self.device.upper())
        return f"CPU, {self.threads} thread{'' if self.threads == 1 else 's'}"


@dataclass(frozen=True)
class Point:
    """Seconds at a batch size: the parts of a step, and inference."""

    lane: str
    batch_size: int
    forward: float  # including the loss
    backward: float
    update: float
    inference: float

    @property
    def step(self) -> float:
        return self.forward + self.backward + self.update

    @property
    def trained(self) -> float:
        """Training images per second."""
        return self.batch_size / self.step

    @property
    def answered(self) -> float:
        """Inference images per second."""
        return self.batch_size / self.inference


@dataclass(frozen=True)
class Speeds:
    """Measurements so far."""

    points: tuple[Point, ...]
    products: dict[str, float]  # multiply-accumulates per second of a large matrix product, by lane
    macs: int  # of the network, for one image
    done: float  # a fraction

    def of(self, lane: str) -> list[Point]:
        """List a lane's points, small batches first."""
        return [point for point in self.points if point.lane == lane]


def lanes() -> list[Lane]:
    """List every device found here; the CPU with all of a training's threads, and with one."""
    each = threads_each()
    found = [Lane(device, each) for device in devices()]
    return [*found, Lane("cpu", 1)] if each > 1 else found


def plateau(points: Sequence[Point]) -> tuple[Point, Point]:
    """Find the fastest point of training, and the smallest batch with at least NEAR of its speed."""
    fastest = max(points, key=lambda point: point.trained)
    near = [point for point in points if point.trained >= NEAR * fastest.trained]
    return min(near, key=lambda point: point.batch_size), fastest


def to_guess(about: str, lane: Lane) -> Guessable[Speeds]:
    """Ask from which batch size on larger ones no longer pay, on one lane."""
    ask = Ask(
        f"throughput {about}",
        f"From which batch size on is training within {1 - NEAR:.0%} of its top speed here ({lane.title})?",
        tuple(map(str, BATCH_SIZES)),
    )

    def outcome(speeds: Speeds) -> Outcome | None:
        points = speeds.of(lane.title)
        if speeds.done < 1 or not points:
            return None
        near, _ = plateau(points)
        return Outcome({str(size): float(size == near.batch_size) for size in BATCH_SIZES})

    return Guessable(ask, outcome)


def measure_speeds(
    config: RunConfig, spec: DatasetSpec, over: Sequence[Lane], batch_sizes: Sequence[int] = BATCH_SIZES
) -> Generator[Speeds]:
    """Measure point by point: each lane from its smallest batch on, until a step is too slow or memory too small.

    The images are random and already on the device, so their preparation is not measured. Sets torch's number of
    threads for the calling thread.
    Raises ArchitectureError where a layer does not fit the images, ConfigError where not even the smallest batch fits
    the memory.
    """
    keep_freed_memory()
    macs = sum(row.macs for row in summarise(config.architecture, spec.shape, len(spec.classes)))
    points: list[Point] = []
    products: dict[str, float] = {}
    for number, lane in enumerate(over):
        torch.set_num_threads(lane.threads)
        own = config.model_copy(update={"device": lane.device})
        check_memory(own.model_copy(update={"batch_size": batch_sizes[0]}), spec)
        bench = _Bench(own, spec, lane)
        for at, batch_size in enumerate(batch_sizes, start=1):
            point = bench.point(batch_size)
            # The best of all measurements: other work on the machine can only lower it.
            products[lane.title] = max(products.get(lane.title, 0.0), bench.product_speed())
            if point:
                points.append(point)
            is_last = at == len(batch_sizes) or (point is None and batch_size > 1) or bench.is_slow
            done = (number + (1 if is_last else at / len(batch_sizes))) / len(over)
            yield Speeds(tuple(points), dict(products), macs, done)
            if is_last:
                break


class _Bench:
    """A network on one lane, trained and run with batches of any size."""

    def __init__(self, config: RunConfig, spec: DatasetSpec, lane: Lane) -> None:
        self.config, self.spec, self.lane = config, spec, lane
        self.is_slow = False
        self.accelerator = Accelerator.of(config.model_copy(update={"device": lane.device}))
        self.device = device = self.accelerator.device
        compute_exactly(device)
        self.network = self.accelerator.place(network_for(config, spec))
        seed_dropout(self.network, 0, device)
        self.optimizer = make_optimizer(self.network, config, device)

    def product_speed(self) -> float:
        """Measure the multiply-accumulates per second of a large matrix product, in the network's precision."""
        left, right = torch.rand(2, PRODUCT, PRODUCT, device=self.device).to(self.accelerator.precision)
        return PRODUCT**3 / median_seconds(lambda: left @ right, self.device)

    def point(self, batch_size: int) -> Point | None:
        """Measure a batch size; None where it does not fit the memory, or is too small for batch norm."""
        try:
            check_memory(self.config.model_copy(update={"batch_size": batch_size}), self.spec)
        except ConfigError:
            return None
        draws = torch.Generator().manual_seed(0)
        inputs = torch.randn(batch_size, *self.spec.shape, generator=draws).to(self.device)
        inputs = inputs.contiguous(memory_format=self.accelerator.layout)
        labels = torch.randint(0, len(self.spec.classes), (batch_size,), generator=draws).to(self.device)
        try:
            parts = self._steps(inputs, labels)
        except ValueError:  # batch norm over a single number
            return None
        self.is_slow = sum(parts) > SLOWEST
        return Point(self.lane.title, batch_size, *parts, inference=self._answering(inputs))

    def _steps(self, inputs: Tensor, labels: Tensor) -> tuple[float, float, float]:
        """Measure median seconds of forward, backward and update, each timed by itself, after a warm-up step."""
        self.network.train()
        self._step(inputs, labels)
        times: list[tuple[float, float, float]] = []
        while len(times) < 3 or (len(times) < STEPS and sum(map(sum, times)) < PATIENCE):
            times.append(self._step(inputs, labels))
            if sum(times[-1]) > SLOWEST:
                break
        forward, backward, update = (median(part) for part in zip(*times, strict=True))
        return forward, backward, update

    def _step(self, inputs: Tensor, labels: Tensor) -> tuple[float, float, float]:
        began = self._now()
        with self.accelerator.autocast():
            loss = F.cross_entropy(self.network(inputs), labels)
        forward = self._now()
        self.optimizer.zero_grad()
        loss.backward()
        backward = self._now()
        self.optimizer.step()
        return forward - began, backward - forward, self._now() - backward

    def _answering(self, inputs: Tensor) -> float:
        def answer() -> None:
            with torch.inference_mode(), self.accelerator.autocast():
                self.network(inputs)

        self.network.eval()
        return median_seconds(answer, self.device)

    def _now(self) -> float:
        """Return the time in seconds, once the device has finished its work."""
        wait_for(self.device)
        return perf_counter()
