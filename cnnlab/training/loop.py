"""The training loop as a generator of events, which can go on where another one ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import isfinite, log
from time import perf_counter
from typing import get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, LRScheduler, OneCycleLR, StepLR

from cnnlab.data import augmentation
from cnnlab.data.batches import Standardise, prepared_batches, scaling, split_joining_single
from cnnlab.data.loading import Data
from cnnlab.errors import CnnLabError
from cnnlab.evaluation.evaluate import evaluate
from cnnlab.networks.build import build, dropout_generator, first_not_finite, seed_dropout
from cnnlab.training.checkpoint import RATES, SCHEDULED, Checkpoint, CheckpointError, GroupEntry, Progress
from cnnlab.training.config import Extension, RunConfig, last_epoch
from cnnlab.training.device import (
    FUSED,
    choose_device,
    choose_layout,
    choose_precision,
    compute_exactly,
    keep_freed_memory,
)
from cnnlab.training.events import EpochMetrics, Event, Finished, RateChange, Started, StepMetrics, Tick
from cnnlab.training.run_data import check_batches

POINTS_PER_EPOCH = 50  # of the live curve, at the most
STEPS_PER_POINT = 8  # at the least
READ_SECONDS = 0.25  # metrics stay on the device in between, for reading one waits for it
HOPELESS = 100.0  # times the loss of mere guessing: a whole epoch of that does not come back
LOWER = "lower the learning rate, or branch off an earlier epoch with a lower one"
LESS_SPREAD = "lower the spread of the initial weights up to there, or put norms of larger momentum between the layers"
UNTAUGHT_BATCHES = 20  # through a network that learns nothing, so that its batch norms know the images' scale


class TrainingError(CnnLabError):
    """A training that cannot go on; the message says what to change."""


def fit(
    network: nn.Module, data: Data, config: RunConfig, schedule: Callable[[int], float] | None = None
) -> Iterator[Event]:
    """Train ``network`` in place, telling each step and each epoch: a ``Training`` from its first step to its last."""
    return Training(network, data, config, schedule=schedule).events()


class Training:
    """A network on its way: ``events`` takes its steps, and between two of them everything may be read or changed.

    The learning rate follows the config's schedule, or ``schedule``: a step's number → its share of the rate. Epochs
    beyond the config's are ``extensions``, each with its own rate, which falls to zero along a cosine.
    The same network, data, config, machine and thread count give the same metrics, also where a training goes on from
    the checkpoint of another; only speeds and seconds differ.
    Raises ConfigError where the device is missing, or the network's batch norm cannot work with batches of one image.
    """

    def __init__(
        self,
        network: nn.Module,
        data: Data,
        config: RunConfig,
        extensions: Sequence[Extension] = (),
        schedule: Callable[[int], float] | None = None,
    ) -> None:
        device = choose_device(config.device)
        self.network, self.data, self.config, self.device = network, data, config, device
        self.precision = choose_precision(config.precision, device)
        self.layout = choose_layout(device)
        self.epoch = self.step = 0  # done so far; the epoch is the last whole one
        self.seconds = 0.0  # of the whole epochs
        joins_single = check_batches(config, data.spec, len(data.train))
        self._parting = split_joining_single if joins_single else torch.split
        self.steps_per_epoch = -(-(len(data.train) - joins_single) // config.batch_size)
        self.epochs = last_epoch(config, extensions)
        keep_freed_memory()
        compute_exactly(device)
        network.to(device).to(memory_format=self.layout)  # type: ignore[call-overload]
        seed_dropout(network, config.seed, device)
        self.extensions = tuple(extensions)
        self._scaler = torch.amp.GradScaler(device.type, enabled=self.precision == torch.float16)
        self._optimizer = make_optimizer(network, config, device)
        self._rates = (
            LambdaLR(self._optimizer, schedule)
            if schedule
            else _schedule(self._optimizer, config, self.steps_per_epoch)
        )
        self._draws = torch.Generator(device).manual_seed(config.seed)
        self._best = _Best(config.early_stopping)
        self._idle = 0.0  # seconds of the running epoch
        self._wanted_rate: float | None = None  # of the next step, where somebody set one

    def events(self) -> Iterator[Event]:
        """Every step and every epoch that is left.

        To stop, stop iterating: between events the network is whole and may be read. With early stopping it ends
        with the weights of its best validation epoch.
        Raises TrainingError where the loss is no longer finite or far beyond that of guessing.
        """
        network, config, device, precision = self.network, self.config, self.device, self.precision
        train, validation = self.data.train.to(device), self.data.validation.to(device)
        standardise = Standardise(*scaling(self.data.spec, config.normalise), device)
        augment = augmentation.choose(config.augmentation, self.data.spec.augmentation)

        def prepare(images: Tensor, labels: Tensor) -> Tensor:
            """(N, C, H, W) uint8 → what the first layer gets."""
            pixels = augment(images.float().div_(255), labels, self.data.spec.classes, self._draws)
            return standardise(pixels).contiguous(memory_format=self.layout)

        guessing = log(len(self.data.spec.classes))  # loss
        yield Started(self.epochs, self.steps_per_epoch, str(device), str(precision).removeprefix("torch."))
        for epoch in range(self.epoch + 1, self.epochs + 1):
            for extension in self.extensions:
                if extension.after == epoch - 1:
                    self._extend(extension)
            if self._best.is_over(self.epoch):
                break
            began = perf_counter()
            network.train()
            self._meter = meter = _Meter(self.step, self.steps_per_epoch, self._advice)
            for inputs, labels in prepared_batches(train, config.batch_size, self._draws, prepare, self._parting):
                yield from self._changed_rate()
                with torch.autocast(device.type, precision, enabled=precision != torch.float32):
                    logits = network(inputs)  # (N, C, H, W) → (N, classes)
                    loss = F.cross_entropy(logits, labels, label_smoothing=config.label_smoothing)
                    # Told without smoothing, as validation is: the two are to be compared.
                    told = F.cross_entropy(logits.detach(), labels) if config.label_smoothing else loss.detach()
                self._optimizer.zero_grad()
                self._scaler.scale(loss).backward()
                self._scaler.step(self._optimizer)
                self._scaler.update()
                learning_rate = self.learning_rate
                self._rates.step()

                self.step += 1
                meter.add(told, logits.detach(), labels, learning_rate)
                if meter.is_due:
                    yield from meter.read()
                yield Tick(self.step)
            yield from meter.read()
            checked = evaluate(network, validation, standardise)
            if not isfinite(checked.loss):
                raise TrainingError(f"the validation loss is not finite after epoch {epoch}: {self._advice()}")
            self.epoch = epoch
            self.seconds += perf_counter() - began - self._idle
            self._idle = 0.0
            self._best.watch(epoch, checked.loss, network)
            if epoch == self.epochs or self._best.is_over(epoch):
                self._wanted_rate = None  # no step is left to take it
            yield EpochMetrics(
                epoch=epoch,
                step=self.step,
                train_loss=meter.loss / len(train),
                train_accuracy=meter.hits / len(train),
                validation_loss=checked.loss,
                validation_accuracy=checked.accuracy,
                per_class=checked.per_class,
                learning_rate=learning_rate,
                images_per_second=len(train) / meter.seconds,
                seconds=self.seconds,
            )
            if epoch > 1 and meter.loss / len(train) > HOPELESS * guessing:
                raise TrainingError(
                    f"the training diverges: after epoch {epoch} its loss is {meter.loss / len(train):.3g}, where mere "
                    f"guessing comes to {guessing:.3g}: {self._advice()}"
                )
        yield Finished(self._best.restore(network) or self.epoch, stopped_early=self.epoch < self.epochs)

    @property
    def learning_rate(self) -> float:
        """Of the next step."""
        return float(self._rates.get_last_lr()[0]) if self._wanted_rate is None else self._wanted_rate

    def _advice(self) -> str:
        """What helps where the loss is not finite or hopeless; where it is so before anything is learned, no rate."""
        config, spec, device = self.config, self.data.spec, self.device
        if config.parent:  # these weights did well once
            return LOWER
        network = build(config.architecture, spec.shape, len(spec.classes), config.seed).to(device)
        seed_dropout(network, config.seed, device)
        standardise = Standardise(*scaling(spec, config.normalise), device)
        first = "already with its first weights"
        for images in self._parting(self.data.train.images, config.batch_size)[:UNTAUGHT_BATCHES]:
            with torch.inference_mode(), torch.autocast(device.type, self.precision, self.precision != torch.float32):
                layer = first_not_finite(network, standardise(images.to(device).float() / 255))
            if layer:
                return f"{first} {layer} gives numbers that are not finite, so no learning rate helps: {LESS_SPREAD}"
        loss = evaluate(network, self.data.validation.to(device), standardise).loss
        if not loss <= HOPELESS * log(len(spec.classes)):
            return f"{first} its validation loss is {loss:.3g}, so no lower learning rate helps: {LESS_SPREAD}"
        return LOWER

    def rest(self, seconds: float) -> None:
        """Time that passed between two steps and is not to count."""
        self._idle += seconds
        self._meter.rest(seconds)

    def change_learning_rate(self, rate: float) -> None:
        """The next step's, if there is one; from there on the schedule keeps its shape, all of it larger or smaller."""
        self._wanted_rate = rate

    def _changed_rate(self) -> Iterator[RateChange]:
        """Take on the rate that somebody set, just before the first step with it."""
        if (rate := self._wanted_rate) is None:
            return
        self._wanted_rate = None
        self._scale_schedule(rate)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._rates._last_lr = [rate for _ in self._optimizer.param_groups]
        yield RateChange(self.step + 1, (self.step + 1) / self.steps_per_epoch, rate)

    def _scale_schedule(self, rate: float) -> None:
        """All its rates, larger or smaller so that the next one is ``rate``.

        Many drops may have come to zero, or so near that others would become infinite: then there is no shape to keep.
        """
        now, groups = self.learning_rate, self._optimizer.param_groups
        if not now:
            return
        scaled: list[dict[str, float]] = [
            {name: group[name] / now * rate for name in RATES if name in group} for group in groups
        ]
        bases = [base / now * rate for base in self._rates.base_lrs]
        if not all(map(isfinite, [*bases, *(value for rates in scaled for value in rates.values())])):
            return
        for group, rates in zip(groups, scaled, strict=True):
            group.update(rates)
        self._rates.base_lrs = bases

    def checkpoint(self) -> Checkpoint:
        """Where it is, after a whole epoch."""
        moments = {f"optimizer.{place}": values for place, values in self._optimizer.state_dict()["state"].items()}
        tensors = {
            f"{prefix}.{name}": tensor
            for prefix, values in {**moments, "best": self._best.weights}.items()
            for name, tensor in values.items()
            if tensor is not None
        }
        tensors["draws"] = self._draws.get_state()
        if generator := dropout_generator(self.network):
            tensors["dropout"] = generator.get_state()
        progress = Progress(
            epoch=self.epoch,
            step=self.step,
            seconds=self.seconds,
            groups=tuple(
                {name: group[name] for name in get_args(GroupEntry) if name in group}
                for group in self._optimizer.param_groups
            ),
            base_rates=tuple(map(float, self._rates.base_lrs)),
            rates=tuple(map(float, self._rates.get_last_lr())),
            schedule_step=self._rates.last_epoch,
            scaler=self._scaler.state_dict(),
            best_loss=self._best.loss if self._best.epoch else None,
            best_epoch=self._best.epoch,
            wanted_rate=self._wanted_rate,
        )
        return Checkpoint({name: tensor.clone() for name, tensor in tensors.items()}, progress)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from where another training of the same config was; the network has the weights it had there.

        Raises CheckpointError where the checkpoint is of another network or config.
        """
        tensors, progress = checkpoint.tensors, checkpoint.progress
        if progress.step != progress.epoch * self.steps_per_epoch or progress.epoch > self.epochs:
            raise CheckpointError("the checkpoint is of a training with other epochs")
        try:
            self.epoch, self.step, self.seconds = progress.epoch, progress.step, progress.seconds
            for extension in self.extensions:
                if extension.after < self.epoch:
                    self._extend(extension)
            self._restore_optimizer(tensors, progress)
            self._rates.base_lrs = list(progress.base_rates)
            self._rates._last_lr = list(progress.rates)
            self._rates.last_epoch = progress.schedule_step
            self._wanted_rate = progress.wanted_rate
            self._rates._step_count = progress.schedule_step + 1
            if progress.scaler:
                self._scaler.load_state_dict(progress.scaler)
            if progress.best_loss is not None:
                self._best.loss, self._best.epoch = progress.best_loss, progress.best_epoch
                self._best.weights = _under("best", tensors)
                _check_shapes(self._best.weights, self.network.state_dict())
            self._draws.set_state(tensors["draws"])
            if generator := dropout_generator(self.network):
                generator.set_state(tensors["dropout"])
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise CheckpointError(f"the checkpoint does not fit this training: {error}") from error

    def _restore_optimizer(self, tensors: dict[str, Tensor], progress: Progress) -> None:
        whole = self._optimizer.state_dict()
        for group, saved in zip(whole["param_groups"], progress.groups, strict=True):
            if missing := set(get_args(GroupEntry)) & group.keys() - saved.keys():
                raise ValueError(f"it has no {min(missing)}")
            taken: dict[str, object] = {name: saved[name] for name in SCHEDULED if name in group}
            group.update(taken)
        state = {}
        parameters = (parameter for group in self._optimizer.param_groups for parameter in group["params"])
        for place, parameter in enumerate(parameters):
            moments = _under(f"optimizer.{place}", tensors)
            _check_shapes(
                {name: tensor for name, tensor in moments.items() if name != "step"}, dict.fromkeys(moments, parameter)
            )
            state[place] = {name: self._laid_out(tensor) for name, tensor in moments.items()}
        self._optimizer.load_state_dict(whole | {"state": state})

    def _laid_out(self, tensor: Tensor) -> Tensor:
        """As the weights lie in memory: fused optimisers walk through both side by side."""
        return tensor.contiguous(memory_format=self.layout) if tensor.dim() == 4 else tensor

    def _extend(self, extension: Extension) -> None:
        """From now on the extension's rate, falling to zero along a cosine."""
        for group in self._optimizer.param_groups:
            group.update(lr=extension.learning_rate, initial_lr=extension.learning_rate)
        self._rates = CosineAnnealingLR(self._optimizer, extension.epochs * self.steps_per_epoch)
        self._best.since = extension.after


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Those whose names begin with ``prefix`` and a dot, without it."""
    return {name[len(prefix) + 1 :]: tensor for name, tensor in tensors.items() if name.startswith(f"{prefix}.")}


def _check_shapes(tensors: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    """Fused optimisers trust that shapes and types fit: a foreign file's may not. Raises ValueError."""
    for name, tensor in tensors.items():
        if tensor.shape != expected[name].shape or tensor.dtype != expected[name].dtype:
            raise ValueError(f"its {name} has another shape or type")


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
            # One step more than is taken: the scheduler is asked once after the last one. A momentum that the config
            # names stays as it is; Adam's beta1, which it does not name, moves against the rate (Smith 2018).
            total, moves = steps + 1, "betas" in optimizer.defaults
            return OneCycleLR(optimizer, config.learning_rate, total_steps=total, cycle_momentum=moves)


@dataclass(frozen=True)
class _Point:
    """Sums over the batches of one point of the curve, still on the device."""

    step: int
    learning_rate: float
    images: int
    sums: Tensor  # (2,): loss times images, hits


class _Meter:
    """The metrics of one epoch, which wait on the device until they are read, all at once."""

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
        self._since = self._last_read = perf_counter()  # the one leaves rests out

    def rest(self, seconds: float) -> None:
        self._since += seconds

    @property
    def is_due(self) -> bool:
        """Whether a point has just been closed and the last reading is a while ago."""
        return bool(self._points) and not self._batches and perf_counter() - self._last_read > READ_SECONDS

    def add(self, loss: Tensor, logits: Tensor, labels: Tensor, learning_rate: float) -> None:
        self._step += 1
        self._batches.append((loss, logits, labels))
        # The points divide the epoch evenly, whatever its length.
        done, points = self._step - self._first, self._points_per_epoch
        if done * points // self._steps_per_epoch > (done - 1) * points // self._steps_per_epoch:
            self._close_point(learning_rate)

    def read(self) -> Iterator[StepMetrics]:
        """The points since the last reading, all at its speed: only now is known that the device has come so far."""
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
        losses = torch.stack([loss * len(labels) for loss, _, labels in self._batches]).sum()
        logits, labels = (torch.cat(parts) for parts in list(zip(*self._batches, strict=True))[1:])
        hits = (logits.argmax(1) == labels).sum()
        self._points.append(_Point(self._step, learning_rate, len(labels), torch.stack([losses, hits])))
        self._batches.clear()


class _Best:
    """Early stopping: the epoch of the lowest validation loss, and its weights."""

    def __init__(self, patience: int) -> None:
        self.patience = patience  # epochs; 0 watches nothing
        self.loss = float("inf")
        self.epoch = 0
        self.since = 0  # the epoch from which on patience counts
        self.weights: dict[str, Tensor] = {}

    def watch(self, epoch: int, loss: float, network: nn.Module) -> None:
        """Keep the weights of ``epoch`` where its loss is the lowest so far."""
        if self.patience and loss < self.loss:
            self.loss, self.epoch = loss, epoch
            self.weights = {name: tensor.clone() for name, tensor in network.state_dict().items()}

    def is_over(self, epoch: int) -> bool:
        """Whether patience has come to its end with ``epoch``."""
        return bool(self.patience) and epoch - max(self.epoch, self.since) >= self.patience

    def restore(self, network: nn.Module) -> int:
        """Put the best weights back; the epoch they are of, 0 where nothing was watched."""
        if self.epoch:
            network.load_state_dict(self.weights)
        return self.epoch
