"""The training loop as a generator of events, and evaluation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from time import perf_counter

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, LRScheduler, OneCycleLR, StepLR

from cnnlab.augmentation import AUGMENTATIONS
from cnnlab.config import ConfigError, RunConfig
from cnnlab.data import Data, Split, Standardise, batches, scaling
from cnnlab.events import EpochMetrics, Event, Finished, Started, StepMetrics, Tick
from cnnlab.network import seed_dropout

METRICS_PER_EPOCH = 50  # points on the live curve at the most: reading one waits for the device
MIN_STEPS_PER_METRIC = 8
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


def devices() -> list[str]:
    """Devices found here, the fastest first; the last is always ``cpu``."""
    found = []
    if torch.cuda.is_available():
        found.append("cuda")
    if torch.backends.mps.is_available():
        found.append("mps")
    return [*found, "cpu"]


def choose_device(wanted: str) -> torch.device:
    """The device for a RunConfig's ``device``. Raises ConfigError where it is not there."""
    found = devices()
    if wanted not in ("auto", *found):
        raise ConfigError(f"device: there is no {wanted} device here: choose one of auto, {', '.join(found)}")
    return torch.device(found[0] if wanted == "auto" else wanted)


def choose_precision(wanted: str, device: torch.device) -> torch.dtype:
    """The autocast type for a RunConfig's ``precision``; float32 means no autocast.

    Mixed precision is for the tensor cores of CUDA; elsewhere ``auto`` keeps float32.
    """
    if wanted != "auto":
        return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[wanted]
    if device.type != "cuda":
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


def fit(network: nn.Module, data: Data, config: RunConfig) -> Iterator[Event]:
    """Train ``network`` in place, telling each step and each epoch.

    To stop, stop iterating: between events the network is whole and may be read. With early stopping it ends
    with the weights of its best validation epoch. The same network, data, config, machine and thread count
    give the same metrics; only speeds and seconds differ.
    Raises ConfigError where the device is missing, TrainingError where the loss is no longer finite.
    """
    device = choose_device(config.device)
    precision = choose_precision(config.precision, device)
    scaler = torch.amp.GradScaler(device.type, enabled=precision == torch.float16)

    network.to(device)
    seed_dropout(network, config.seed, device)
    train, validation = data.train.to(device), data.validation.to(device)
    standardise = Standardise(*scaling(data.spec, config.normalise), device)
    augment = AUGMENTATIONS[data.spec.augmentation if config.augmentation == "auto" else config.augmentation]
    draws = torch.Generator(device).manual_seed(config.seed)

    steps_per_epoch = -(-len(train) // config.batch_size)
    steps_per_metric = max(MIN_STEPS_PER_METRIC, steps_per_epoch // METRICS_PER_EPOCH)
    optimizer = _optimizer(network, config)
    schedule = _schedule(optimizer, config, steps_per_epoch)
    best = _Best(config.early_stopping)

    yield Started(config.epochs, steps_per_epoch, str(device), str(precision).removeprefix("torch."))
    start = perf_counter()
    step = 0
    for epoch in range(1, config.epochs + 1):
        network.train()
        whole, recent = _Meter(device), _Meter(device)
        for images, labels in batches(train, config.batch_size, draws):
            pixels = augment(images.float() / 255, labels, data.spec.classes, draws)  # (N, C, H, W) in 0…1
            with torch.autocast(device.type, precision, enabled=precision != torch.float32):
                logits = network(standardise(pixels))  # (N, classes)
                loss = F.cross_entropy(logits, labels, label_smoothing=config.label_smoothing)
            optimizer.zero_grad()
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
            learning_rate = float(schedule.get_last_lr()[0])
            schedule.step()

            step += 1
            recent.add(loss.detach(), logits.detach(), labels)
            if step % steps_per_metric == 0:
                means = recent.read(step)
                yield StepMetrics(step, step / steps_per_epoch, means.loss, means.accuracy, learning_rate, means.speed)
                whole.merge(recent)
                recent = _Meter(device)
            yield Tick(step)
        whole.merge(recent)
        means = whole.read(step)
        checked = evaluate(network, validation, standardise)
        yield EpochMetrics(
            epoch=epoch,
            step=step,
            train_loss=means.loss,
            train_accuracy=means.accuracy,
            validation_loss=checked.loss,
            validation_accuracy=checked.accuracy,
            per_class=checked.per_class,
            learning_rate=learning_rate,
            images_per_second=means.speed,
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
    """Class probabilities (N, classes) for uint8 images (N, C, H, W), in evaluation mode."""
    split = Split(images, torch.zeros(len(images), dtype=torch.long, device=images.device))
    return torch.cat([logits.softmax(1) for logits, _ in _logits(network, split, standardise)])


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


def _optimizer(network: nn.Module, config: RunConfig) -> Optimizer:
    parameters, rate, decay = network.parameters(), config.learning_rate, config.weight_decay
    match config.optimizer:
        case "sgd":
            return SGD(parameters, rate, config.momentum, weight_decay=decay, nesterov=config.nesterov)
        case "adam":
            return Adam(parameters, rate, weight_decay=decay)
        case "adamw":
            return AdamW(parameters, rate, weight_decay=decay)
        case "rmsprop":
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
class _Means:
    loss: float
    accuracy: float
    speed: float  # images per second


class _Meter:
    """Sums kept on the device, so that adding a batch does not wait for it."""

    def __init__(self, device: torch.device) -> None:
        self.loss = torch.zeros((), device=device)
        self.hits = torch.zeros((), device=device)
        self.images = 0
        self.start = perf_counter()
        self.seconds = 0.0

    def add(self, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        self.loss += loss * len(labels)
        self.hits += (logits.argmax(1) == labels).sum()
        self.images += len(labels)
        self.seconds = perf_counter() - self.start

    def merge(self, other: _Meter) -> None:
        self.loss += other.loss
        self.hits += other.hits
        self.images += other.images
        self.seconds += other.seconds

    def read(self, step: int) -> _Means:
        loss = self.loss.item() / self.images
        if not isfinite(loss):
            raise TrainingError(f"the loss is no longer finite at step {step}: lower the learning rate")
        return _Means(loss, self.hits.item() / self.images, self.images / max(self.seconds, 1e-9))


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
