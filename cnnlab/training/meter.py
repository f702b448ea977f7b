"""The metrics of a running epoch, which stay on the device until they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import isfinite
from time import perf_counter

import torch
from torch import Tensor

from cnnlab.training.events import StepMetrics
from cnnlab.training.remedy import TrainingError

POINTS_PER_EPOCH = 50  # of the live curve, at most
STEPS_PER_POINT = 8  # at least
READ_SECONDS = 0.25  # between two readings, because each waits until the device has done all steps so far


@dataclass(frozen=True)
class _Point:
    """Sums over the batches of one point of the curve, still on the device."""

    step: int
    learning_rate: float
    images: int
    sums: Tensor  # (2,): loss times images, correct predictions


class Meter:
    """Loss and accuracy of one epoch's steps, summed on the device and read many at once.

    Where a loss is not finite, ``advice`` is called for the text of the error.
    """

    def __init__(self, step: int, steps_per_epoch: int, advice: Callable[[], str]) -> None:
        self._advice = advice
        self.loss = 0.0  # sums over the images read so far
        self.hits = 0.0
        self.seconds = 0.0
        self._first = step
        self._steps_per_epoch = steps_per_epoch
        self._points_per_epoch = min(max(steps_per_epoch // STEPS_PER_POINT, 1), POINTS_PER_EPOCH)
        self._step = step
        self._batches: list[tuple[Tensor, Tensor, Tensor]] = []
        self._points: list[_Point] = []
        self._since = self._last_read = perf_counter()  # the first excludes pauses

    def rest(self, seconds: float) -> None:
        """Exclude ``seconds`` that passed between two steps from the time."""
        self._since += seconds

    @property
    def is_due(self) -> bool:
        """Whether a point has just been completed and the last reading is long enough ago."""
        return bool(self._points) and not self._batches and perf_counter() - self._last_read > READ_SECONDS

    def add(self, loss: Tensor, logits: Tensor, targets: Tensor, learning_rate: float) -> None:
        """Add a step: its mean loss (), logits (N, classes) and targets, all on the device.

        Targets are labels (N,) or, where labels are mixed, the shares of the classes (N, classes): then an image counts
        as right by the share of the class that is named.
        """
        self._step += 1
        self._batches.append((loss, logits, targets))
        # The points divide the epoch evenly, whatever its length.
        done, points = self._step - self._first, self._points_per_epoch
        if done * points // self._steps_per_epoch > (done - 1) * points // self._steps_per_epoch:
            self._close_point(learning_rate)

    def read(self) -> Iterator[StepMetrics]:
        """Yield the points since the last reading, all with the same speed, because the device gives no finer one.

        Raises TrainingError where a loss is not finite.
        """
        if not self._points:
            return
        sums = torch.stack([point.sums for point in self._points]).tolist()
        now = perf_counter()
        seconds, self._since, self._last_read = now - self._since, now, now
        self.seconds += seconds
        speed = sum(point.images for point in self._points) / seconds
        for point, (loss, hits) in zip(self._points, sums, strict=True):
            if not isfinite(loss):
                raise TrainingError(f"the loss is no longer finite at step {point.step}: {self._advice()}")
            self.loss += loss
            self.hits += hits
            yield StepMetrics(
                step=point.step,
                epoch=point.step / self._steps_per_epoch,
                loss=loss / point.images,
                accuracy=hits / point.images,
                learning_rate=point.learning_rate,
                images_per_second=speed,
            )
        self._points.clear()

    def _close_point(self, learning_rate: float) -> None:
        losses = torch.stack([loss * len(targets) for loss, _, targets in self._batches]).sum()
        logits, targets = (torch.cat(parts) for parts in list(zip(*self._batches, strict=True))[1:])
        named = logits.argmax(1)  # (N,)
        hits = targets.gather(1, named[:, None]) if targets.dim() == 2 else named == targets
        self._points.append(_Point(self._step, learning_rate, len(targets), torch.stack([losses, hits.sum()])))
        self._batches.clear()
