"""The training loop as a generator of events, and evaluation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import isfinite
from time import perf_counter

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, LRScheduler, OneCycleLR, StepLR

from cnnlab import augmentation
from cnnlab.config import RunConfig
from cnnlab.data import Data, Split, Standardise, batches, prepared_batches, scaling
from cnnlab.devices import FUSED, choose_device, choose_layout, choose_precision, keep_freed_memory
from cnnlab.events import EpochMetrics, Event, Finished, Started, StepMetrics, Tick
from cnnlab.network import seed_dropout

POINTS_PER_EPOCH = 50  # of the live curve, at the most
STEPS_PER_POINT = 8  # at the least
READ_SECONDS = 0.25  # metrics stay on the device in between, for reading one waits for it
EVALUATION_BATCH = 1000  # images


class TrainingError(RuntimeError):
    """A training that cannot go on; the message says what to change."""


@dataclass(frozen=True)
class Evaluation:
    """How a network does on a split."""

    loss: float  # mean cross-entropy
    accuracy: float  # fraction
    per_class: tuple[float, ...]  # accuracy of each class; 0 where a class has no image
    support: tuple[int, ...]  # images of each class


def fit(
    network: nn.Module, data: Data, config: RunConfig, schedule: Callable[[int], float] | None = None
) -> Iterator[Event]:
    """Train ``network`` in place, telling each step and each epoch.

    The learning rate follows the config's schedule, or ``schedule``: a step's number → its share of the rate.

    To stop, stop iterating: between events the network is whole and may be read. With early stopping it ends
    with the weights of its best validation epoch. The same network, data, config, machine and thread count
    give the same metrics; only speeds and seconds differ.
    Raises ConfigError where the device is missing, TrainingError where the loss is no longer finite.
    """
    device = choose_device(config.device)
    precision = choose_precision(config.precision, device)
    scaler = torch.amp.GradScaler(device.type, enabled=precision == torch.float16)
    keep_freed_memory()

    layout = choose_layout(device)
    network.to(device).to(memory_format=layout)  # type: ignore[call-overload]
    seed_dropout(network, config.seed, device)
    train, validation = data.train.to(device), data.validation.to(device)
    standardise = Standardise(*scaling(data.spec, config.normalise), device)
    augment = augmentation.choose(config.augmentation, data.spec.augmentation)
    draws = torch.Generator(device).manual_seed(config.seed)

    def prepare(images: Tensor, labels: Tensor) -> Tensor:
        """(N, C, H, W) uint8 → what the first layer gets."""
        pixels = augment(images.float().div_(255), labels, data.spec.classes, draws)
        return standardise(pixels).contiguous(memory_format=layout)

    steps_per_epoch = -(-len(train) // config.batch_size)
    optimizer = make_optimizer(network, config, device)
    rates = LambdaLR(optimizer, schedule) if schedule else _schedule(optimizer, config, steps_per_epoch)
    best = _Best(config.early_stopping)

    yield Started(config.epochs, steps_per_epoch, str(device), str(precision).removeprefix("torch."))
    start = perf_counter()
    step = 0
    for epoch in range(1, config.epochs + 1):
        network.train()
        meter = _Meter(step, steps_per_epoch)
        for inputs, labels in prepared_batches(train, config.batch_size, draws, prepare):
            with torch.autocast(device.type, precision, enabled=precision != torch.float32):
                logits = network(inputs)  # (N, C, H, W) → (N, classes)
                loss = F.cross_entropy(logits, labels, label_smoothing=config.label_smoothing)
            optimizer.zero_grad()
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
            learning_rate = float(rates.get_last_lr()[0])
            rates.step()

            step += 1
            meter.add(loss.detach(), logits.detach(), labels, learning_rate)
            if meter.is_due:
                yield from meter.read()
            yield Tick(step)
        yield from meter.read()
        checked = evaluate(network, validation, standardise)
        yield EpochMetrics(
            epoch=epoch,
            step=step,
            train_loss=meter.loss / len(train),
            train_accuracy=meter.hits / len(train),
            validation_loss=checked.loss,
            validation_accuracy=checked.accuracy,
            per_class=checked.per_class,
            learning_rate=learning_rate,
            images_per_second=len(train) / meter.seconds,
            seconds=perf_counter() - start,
        )
        if best.is_over(epoch, checked.loss, network):
            break
    yield Finished(best.restore(network) or epoch, stopped_early=epoch < config.epochs)


def evaluate(network: nn.Module, split: Split, standardise: Standardise) -> Evaluation:
    """Loss and accuracy in evaluation mode, with the split on the network's device; the mode is restored."""
    classes = 0
    losses: list[Tensor] = []
    labelled: list[Tensor] = []
    hits: list[Tensor] = []
    for logits, labels in _logits(network, split, standardise):
        classes = logits.shape[1]
        losses.append(F.cross_entropy(logits, labels, reduction="sum"))
        labelled.append(labels)
        hits.append(labels[logits.argmax(1) == labels])
    support = torch.cat(labelled).bincount(minlength=classes)
    correct = torch.cat(hits).bincount(minlength=classes)
    return Evaluation(
        loss=torch.stack(losses).sum().item() / len(split),
        accuracy=correct.sum().item() / len(split),
        per_class=tuple((correct.double() / support.clamp_min(1)).tolist()),
        support=tuple(support.tolist()),
    )


def predict(network: nn.Module, images: Tensor, standardise: Standardise) -> Tensor:
    """Logits (N, classes) for uint8 images (N, C, H, W), in evaluation mode."""
    split = Split(images, torch.zeros(len(images), dtype=torch.long, device=images.device))
    return torch.cat([logits for logits, _ in _logits(network, split, standardise)])


def _logits(network: nn.Module, split: Split, standardise: Standardise) -> Iterator[tuple[Tensor, Tensor]]:
    was_training = network.training
    network.eval()
    try:
        for images, labels in batches(split, EVALUATION_BATCH):
            with torch.inference_mode():
                logits = network(standardise(images.float() / 255))  # (N, classes)
            yield logits, labels
    finally:
        network.train(was_training)


def make_optimizer(network: nn.Module, config: RunConfig, device: torch.device) -> Optimizer:
    """The config's optimiser, fused where ``device`` has one."""
    parameters, rate, decay = network.parameters(), config.learning_rate, config.weight_decay
    fused = device.type in FUSED
    match config.optimizer:
        case "sgd":
            return SGD(parameters, rate, config.momentum, weight_decay=decay, nesterov=config.nesterov, fused=fused)
        case "adam":
            return Adam(parameters, rate, weight_decay=decay, fused=fused)
        case "adamw":
            return AdamW(parameters, rate, weight_decay=decay, fused=fused)
        case "rmsprop":  # torch has no fused one
            return RMSprop(parameters, rate, weight_decay=decay, momentum=config.momentum)


def _schedule(optimizer: Optimizer, config: RunConfig, steps_per_epoch: int) -> LRScheduler:
    """Learning-rate schedules, all counted in steps."""
    steps = config.epochs * steps_per_epoch
    match config.schedule:
        case "constant":
            return LambdaLR(optimizer, lambda step: 1.0)
        case "step":
            return StepLR(optimizer, config.step_epochs * steps_per_epoch, config.step_factor)
        case "cosine":
            return CosineAnnealingLR(optimizer, steps)
        case "one-cycle":
            # One step more than is taken: the scheduler is asked once after the last one.
            return OneCycleLR(optimizer, config.learning_rate, total_steps=steps + 1)


@dataclass(frozen=True)
class _Point:
    """Sums over the batches of one point of the curve, still on the device."""

    step: int
    learning_rate: float
    images: int
    seconds: float
    sums: Tensor  # (2,): loss times images, hits


class _Meter:
    """The metrics of one epoch, which wait on the device until they are read, all at once."""

    def __init__(self, step: int, steps_per_epoch: int) -> None:
        self.loss = 0.0  # sums over the images read so far
        self.hits = 0.0
        self.seconds = 0.0
        self._first = step
        self._steps_per_epoch = steps_per_epoch
        self._points_per_epoch = min(max(steps_per_epoch // STEPS_PER_POINT, 1), POINTS_PER_EPOCH)
        self._step = step
        self._batches: list[tuple[Tensor, Tensor, Tensor]] = []
        self._points: list[_Point] = []
        self._since = self._last_read = perf_counter()

    @property
    def is_due(self) -> bool:
        return bool(self._points) and perf_counter() - self._last_read > READ_SECONDS

    def add(self, loss: Tensor, logits: Tensor, labels: Tensor, learning_rate: float) -> None:
        self._step += 1
        self._batches.append((loss, logits, labels))
        # The points divide the epoch evenly, whatever its length.
        done, points = self._step - self._first, self._points_per_epoch
        if done * points // self._steps_per_epoch > (done - 1) * points // self._steps_per_epoch:
            self._close_point(learning_rate)

    def read(self) -> Iterator[StepMetrics]:
        """The points since the last reading."""
        if not self._points:
            return
        sums = torch.stack([point.sums for point in self._points]).tolist()
        for point, (loss, hits) in zip(self._points, sums, strict=True):
            if not isfinite(loss):
                raise TrainingError(f"the loss is no longer finite at step {point.step}: lower the learning rate")
            self.loss += loss
            self.hits += hits
            self.seconds += point.seconds
            yield StepMetrics(
                step=point.step,
                epoch=point.step / self._steps_per_epoch,
                loss=loss / point.images,
                accuracy=hits / point.images,
                learning_rate=point.learning_rate,
                images_per_second=point.images / point.seconds,
            )
        self._points.clear()
        self._last_read = perf_counter()

    def _close_point(self, learning_rate: float) -> None:
        losses = torch.stack([loss * len(labels) for loss, _, labels in self._batches]).sum()
        logits, labels = (torch.cat(parts) for parts in list(zip(*self._batches, strict=True))[1:])
        hits = (logits.argmax(1) == labels).sum()
        now = perf_counter()
        self._points.append(
            _Point(self._step, learning_rate, len(labels), now - self._since, torch.stack([losses, hits]))
        )
        self._batches.clear()
        self._since = now


class _Best:
    """Early stopping: the epoch of the lowest validation loss, and its weights."""

    def __init__(self, patience: int) -> None:
        self.patience = patience  # epochs; 0 watches nothing
        self.loss = float("inf")
        self.epoch = 0
        self.weights: dict[str, Tensor] = {}

    def is_over(self, epoch: int, loss: float, network: nn.Module) -> bool:
        if self.patience and loss < self.loss:
            self.loss, self.epoch = loss, epoch
            self.weights = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        return bool(self.patience) and epoch - self.epoch >= self.patience

    def restore(self, network: nn.Module) -> int:
        """Put the best weights back; the epoch they are of, 0 where nothing was watched."""
        if self.epoch:
            network.load_state_dict(self.weights)
        return self.epoch
