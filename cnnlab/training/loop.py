"""The training loop as a generator of events; it can continue from a checkpoint."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from math import isfinite, log
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from torch import Tensor, nn

from cnnlab.data import augmentation
from cnnlab.data.batches import Standardise, prepared_batches, scaling, shuffled, split_joining_single
from cnnlab.data.loading import Data
from cnnlab.data.mixing import mixed
from cnnlab.data.splits import Split, few_of_each
from cnnlab.evaluation.evaluate import Evaluation, affordable_batch, evaluate, predict
from cnnlab.networks.build import dropout_generator, norms_of, parted, seed_dropout
from cnnlab.pretrained.matching import started_layers
from cnnlab.training.balance import balanced_sample, loss_function
from cnnlab.training.checkpoint import Checkpoint, CheckpointError, Progress, under
from cnnlab.training.config import Extension, RunConfig, last_epoch
from cnnlab.training.device import Accelerator, compute_exactly, keep_freed_memory, machine_kind
from cnnlab.training.early_stopping import EarlyStopping
from cnnlab.training.events import (
    EpochMetrics,
    Event,
    Finished,
    Prepared,
    RateChange,
    Started,
    StepMetrics,
    ThreadsChange,
    Tick,
)
from cnnlab.training.features import Source, feature_work
from cnnlab.training.gradient import BatchGradient
from cnnlab.training.memory import room_for_images
from cnnlab.training.meter import Meter
from cnnlab.training.optimizer import check_shapes, make_optimizer, moments, restore_moments
from cnnlab.training.remedy import HOPELESS, TrainingError, remedy
from cnnlab.training.run_data import check_batches, frozen_layers, layers_of
from cnnlab.training.schedule import Rates, Schedule
from cnnlab.training.thread_tuner import ThreadTuner
from cnnlab.training.variants import one_of_each, variant
from cnnlab.training.weight_average import WeightAverage, restore_aside


def fit(network: nn.Module, data: Data, config: RunConfig, rates: Rates | None = None) -> Iterator[Event]:
    """Train ``network`` in place and yield the events of a ``Training`` from its first step to its last."""
    return Training(network, data, config, rates=rates).events()


class Training:
    """The training of a network: ``events`` takes its steps, and between two of them everything may be read or changed.

    The learning rate follows the config's schedule, or ``rates``: steps taken → the next step's rate. Epochs beyond the
    config's are ``extensions``, each with its own rate, which falls to zero along a cosine. The same network, data,
    config, machine and thread count give the same metrics, also where a training continues from the checkpoint of
    another; only speeds and seconds differ. The threads are those of the calling thread, or what a ``tuner`` chooses
    for each step. The features of frozen layers are kept in the folder ``features_in``, by default that of all
    trainings. Raises ConfigError where the device is missing, or the network's batch norm cannot work with batches of
    one image.
    """

    def __init__(
        self,
        network: nn.Module,
        data: Data,
        config: RunConfig,
        extensions: Sequence[Extension] = (),
        rates: Rates | None = None,
        started: Sequence[str] | None = None,
        tuner: ThreadTuner | None = None,
        features_in: Path | None = None,
    ) -> None:
        self.network, self.data, self.config = network, data, config
        if started is None:
            started = started_layers(config.architecture, config.backbone) if config.backbone else ()
        self.accelerator = Accelerator.of(config)
        device = self.accelerator.device
        self.epoch = self.step = 0  # done so far; the epoch is the last complete one
        self.seconds = self.preparing_seconds = 0.0  # of the complete epochs and what came before; of the latter
        joins_single = check_batches(config, data.spec, len(data.train))
        self._parting = split_joining_single if joins_single else torch.split
        self.steps_per_epoch = -(-(len(data.train) - joins_single) // config.batch_size)
        self.epochs = last_epoch(config, extensions)
        keep_freed_memory()
        compute_exactly(device)
        self.accelerator.place(network)
        seed_dropout(network, config.seed, device)
        self.frozen, self.learning = parted(network, config.learn_from)
        # A few images would spoil what a million gave: it cost 4 points of accuracy with 50 images a class.
        self._kept_norms = norms_of(self.learning, started)
        self._judged_at_once = affordable_batch(layers_of(config, data.spec))
        self._standardise = Standardise(*scaling(data.spec, config.normalise), device)
        self._augment = augmentation.choose(config.augmentation, data.spec.augmentation)
        self._generator = torch.Generator(device).manual_seed(config.seed)
        self._inputs = data  # of the layers that learn: images, or features of layers that do not
        self._features_in = features_in
        order = balanced_sample if config.class_balance == "sampling" else shuffled
        copies = config.feature_copies if config.keeps_features else 1
        self._order = one_of_each(order, len(data.train), copies)
        self._optimizer = make_optimizer(self.learning, config, device, started)
        self._average = WeightAverage(self.learning, config.weight_average)
        self._scaler = self.accelerator.scaler()
        self._gradient = BatchGradient(
            nn.Sequential() if config.keeps_features else self.frozen,
            self.learning,
            loss_function(config, data.train.labels, len(data.spec.classes)).to(device),
            config,
            self.accelerator,
            self._scaler,
            self._parting,
        )
        self.schedule = Schedule(config, self.steps_per_epoch, tuple(extensions), own=rates)
        self._wanted_rate: float | None = None  # of the next step, where one was set by hand
        self._stopping = EarlyStopping(config.early_stopping, [extension.after for extension in extensions])
        self._meter = self._new_meter()
        self._tuner = tuner
        self._idle = 0.0  # seconds of pauses in the running epoch

    def events(self) -> Iterator[Event]:
        """Train the remaining steps and epochs, and yield their events.

        To stop, stop iterating: between events the network is in a consistent state and may be read. With early
        stopping it ends with the weights of its best validation epoch. Raises TrainingError where the loss is no longer
        finite or far above that of random guessing.
        """
        device, precision = self.accelerator.device, self.accelerator.precision
        if self._tuner:
            torch.set_num_threads(self._tuner.current)  # applies only to the calling thread
        told = str(device), str(precision).removeprefix("torch."), machine_kind(device)
        yield Started(self.epochs, self.steps_per_epoch, *told)
        if self.config.keeps_features:
            yield from self._compute_features()
        room = room_for_images(device)
        train, validation = self._inputs.train.to(device, room), self._inputs.validation.to(device, room)
        while self.epoch < self.epochs and not self._stopping.is_over(self.epoch):
            began = perf_counter()
            self._meter = self._new_meter()
            self._average.swap()  # from here on the network has the weights that train, after the epoch their average
            yield from self._train_epoch(train)
            self._average.swap()
            checked = self._judge(validation)
            self._end_epoch(checked, perf_counter() - began)
            yield self._epoch_metrics(checked)
            self._check_progress()
        yield Finished(self._stopping.restore(self.learning) or self.epoch, stopped_early=self.epoch < self.epochs)

    def _compute_features(self) -> Iterator[Prepared]:
        """Compute what the frozen layers make of each image and its variants, unless it is kept from before."""
        began, config, (train, validation) = perf_counter(), self.config, (self.data.train, self.data.validation)
        rows = frozen_layers(config, self.data.spec)
        changes = [
            variant(number, config.seed, self._augment, self.data.spec.classes)
            for number in range(1, config.feature_copies)
        ]
        variants = [Source(train), *(Source(train, change) for change in changes)]
        sources = [*variants, Source(validation)]
        work = feature_work(self.frozen, rows, self._standardise, self.accelerator, sources, self._features_in)
        for done in work:
            yield Prepared(done, work.images, work.computed)
        *copies, checked = work.splits()
        chosen = [copy.rows for copy in copies if copy.rows is not None]
        joined = replace(checked, labels=train.labels.repeat(len(copies)), rows=torch.cat(chosen), groups=None)
        self._inputs = replace(self.data, train=joined, validation=checked)
        self.preparing_seconds = perf_counter() - began
        self.seconds += self.preparing_seconds

    def _judge(self, split: Split) -> Evaluation:
        """Evaluate on images of the running training, or their features."""
        return evaluate(self._asked(split), split, self._standardise, self._judged_at_once)

    def _asked(self, split: Split) -> nn.Module:
        """Return the layers that images go through, or features."""
        return self.learning if split.pixels.is_floating_point() else self.network

    def answers(self) -> Tensor:
        """Return the class that the network names for each validation image: (N,)."""
        validation = self._inputs.validation.to(self.accelerator.device)
        return predict(self._asked(validation), validation, self._standardise, self._judged_at_once).argmax(1)

    @cached_property
    def samples(self) -> Tensor:
        """Which validation images are shown with the network's answers while it trains: (S,)."""
        return few_of_each(self.data.validation.labels)

    def read_samples(self) -> Tensor:
        """Return the class probabilities that the network now gives the samples, between two steps: (S, classes)."""
        chosen = self._inputs.validation.part(self.samples).to(self.accelerator.device)
        logits = predict(self._asked(chosen), chosen, self._standardise, self._judged_at_once)
        self._begin_to_learn()
        return logits.float().softmax(1).cpu()

    def judge_train(self) -> Evaluation:
        """Evaluate on the training images, without augmentation, by their features where these are kept."""
        train = self._inputs.train.part(slice(len(self.data.train)))
        return self._judge(train.to(self.accelerator.device))

    def judge_test(self) -> Evaluation:
        """Evaluate the whole network on the test images."""
        test = self.data.test.to(self.accelerator.device)
        return evaluate(self.network, test, self._standardise, self._judged_at_once)

    def _train_epoch(self, train: Split) -> Iterator[RateChange | ThreadsChange | StepMetrics | Tick]:
        config, meter = self.config, self._meter
        self._begin_to_learn()
        if self._tuner:
            self._tuner.rest()
        for inputs, labels in prepared_batches(
            train, config.batch_size, self._generator, self._prepare, self._parting, self._order
        ):
            yield from self._changed_rate()
            yield from self._changed_threads()
            learning_rate = self._set_rate()
            inputs, targets = self._mix(inputs, labels)  # noqa: PLW2901 - the images are mixed too
            self._optimizer.zero_grad()
            loss, logits = self._gradient.add(inputs, targets)  # forward and backward: (N, C, H, W) → (N, classes)
            self._descend()

            self.step += 1
            self._average.update(self.step)
            meter.add(loss, logits, targets, learning_rate)
            if meter.is_due:
                yield from meter.read()
            yield Tick(self.step)
        yield from meter.read()

    def _begin_to_learn(self) -> None:
        """Put the layers that learn into training mode, all others into evaluation mode."""
        self.frozen.eval()
        self.learning.train()
        for norm in self._kept_norms:
            norm.eval()

    def _descend(self) -> None:
        """Take a step of the optimiser down the batch's gradient, which may be clipped."""
        optimizer, scaler, limit = self._optimizer, self._scaler, self.config.gradient_clipping
        if limit:
            scaler.unscale_(optimizer)
            nn.utils.clip_grad_norm_(self.learning.parameters(), limit)
        scaler.step(optimizer)
        scaler.update()

    def _mix(self, inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Mix a batch's images, where the config says so, and return the targets: (N,) labels or (N, classes) shares.

        What is drawn depends on seed and step alone, so that a checkpoint need not hold it.
        """
        mixup, cutmix = self.config.mixup, self.config.cutmix
        if not (mixup or cutmix):
            return inputs, labels
        draws = np.random.default_rng((self.config.seed, self.step))
        return mixed(inputs, labels, len(self.data.spec.classes), mixup, cutmix, draws)

    def _prepare(self, images: Tensor, labels: Tensor) -> Tensor:
        """Convert (N, C, H, W) uint8 images, or features, to the input of the first layer that sees them."""
        if images.is_floating_point():
            return images.float()
        pixels = augmentation.unit(self._augment(images, labels, self.data.spec.classes, self._generator))
        return self._standardise.in_place(pixels).contiguous(memory_format=self.accelerator.layout)

    def _end_epoch(self, checked: Evaluation, seconds: float) -> None:
        """Count the epoch that was just trained and validated. Raises TrainingError where its loss is not finite."""
        if not isfinite(checked.loss):
            raise TrainingError(f"the validation loss is not finite after epoch {self.epoch + 1}: {self._remedy()}")
        self.epoch += 1
        self.seconds += seconds - self._idle
        self._idle = 0.0
        self._stopping.watch(self.epoch, checked.loss, self.learning)
        if self.epoch == self.epochs or self._stopping.is_over(self.epoch):
            self._wanted_rate = None  # no step is left to take it

    def _epoch_metrics(self, checked: Evaluation) -> EpochMetrics:
        images = len(self.data.train)
        return EpochMetrics(
            epoch=self.epoch,
            step=self.step,
            train_loss=self._meter.loss / images,
            train_accuracy=self._meter.hits / images,
            validation_loss=checked.loss,
            validation_accuracy=checked.accuracy,
            per_class=checked.per_class,
            learning_rate=self.schedule.rate(self.step),
            images_per_second=images / self._meter.seconds,
            seconds=self.seconds,
        )

    def _check_progress(self) -> None:
        """Raise TrainingError where the loss is far above that of random guessing; a first epoch may start there."""
        loss, guessing = self._meter.loss / len(self.data.train), log(len(self.data.spec.classes))
        if self.epoch > 1 and loss > HOPELESS * guessing:
            raise TrainingError(
                f"the training diverges: after epoch {self.epoch} its loss is {loss:.3g}, but guessing has "
                f"{guessing:.3g}: {self._remedy()}"
            )

    def _remedy(self) -> str:
        return remedy(self.config, self.data, self.accelerator)

    def _new_meter(self) -> Meter:
        return Meter(self.step, self.steps_per_epoch, self._remedy)

    def rest(self, seconds: float) -> None:
        """Exclude ``seconds`` that passed between two steps from the time."""
        self._idle += seconds
        self._meter.rest(seconds)
        if self._tuner:
            self._tuner.rest()

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step."""
        return self.schedule.rate(self.step + 1) if self._wanted_rate is None else self._wanted_rate

    def change_learning_rate(self, rate: float) -> None:
        """Set the learning rate of the next step, if there is one; after it the schedule keeps its shape."""
        self._wanted_rate = rate

    def _changed_rate(self) -> Iterator[RateChange]:
        """Apply a rate that was set by hand, and yield the change, just before the first step with it."""
        if (rate := self._wanted_rate) is None:
            return
        self._wanted_rate = None
        self.schedule = self.schedule.changed(self.step + 1, rate)
        yield RateChange(self.step + 1, (self.step + 1) / self.steps_per_epoch, rate)

    def _changed_threads(self) -> Iterator[ThreadsChange]:
        """Give the next step the threads that the tuner chooses, and yield a change."""
        if not self._tuner:
            return
        before, step = self._tuner.current, self.step + 1
        self._tuner.choose(step)
        if self._tuner.current != before:
            torch.set_num_threads(self._tuner.current)
            yield ThreadsChange(step, step / self.steps_per_epoch, self._tuner.current)

    def _set_rate(self) -> float:
        """Give the optimiser the next step's learning rate, and Adam its beta1; return the rate."""
        step = self.step + 1
        rate, beta1 = self.schedule.rate(step), self.schedule.beta1(step)
        for group in self._optimizer.param_groups:
            group["lr"] = rate * group["share"]
            if beta1 is not None and "betas" in group:
                group["betas"] = beta1, group["betas"][1]
        return rate

    def checkpoint(self) -> Checkpoint:
        """Copy the state that the next epoch depends on; valid after a complete epoch."""
        tensors = moments(self._optimizer) | {f"best.{name}": values for name, values in self._stopping.weights.items()}
        tensors |= {f"trained.{name}": values for name, values in self._average.aside.items()}
        tensors["draws"] = self._generator.get_state()
        if generator := dropout_generator(self.network):
            tensors["dropout"] = generator.get_state()
        progress = Progress(
            epoch=self.epoch,
            step=self.step,
            seconds=self.seconds,
            changes=self.schedule.changes,
            scaler=self._scaler.state_dict(),
            best_loss=self._stopping.loss if self._stopping.epoch else None,
            best_epoch=self._stopping.epoch,
            wanted_rate=self._wanted_rate,
        )
        return Checkpoint({name: tensor.clone() for name, tensor in tensors.items()}, progress)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Continue from the checkpoint of a training with the same config; the network must have its weights of then.

        Raises CheckpointError where the checkpoint is of another network or config.
        """
        tensors, progress = checkpoint.tensors, checkpoint.progress
        if progress.step != progress.epoch * self.steps_per_epoch or progress.epoch > self.epochs:
            raise CheckpointError("the checkpoint is of a training with other epochs")
        try:
            self.epoch, self.step, self.seconds = progress.epoch, progress.step, progress.seconds
            self.schedule = self.schedule.restored(progress)
            self._wanted_rate = progress.wanted_rate
            restore_moments(self._optimizer, tensors, self.accelerator.layout)
            if progress.scaler:
                self._scaler.load_state_dict(progress.scaler)
            if progress.best_loss is not None:
                best = under("best", tensors)
                check_shapes(best, self.learning.state_dict())
                self._stopping.loss, self._stopping.epoch = progress.best_loss, progress.best_epoch
                self._stopping.weights = best
            restore_aside(self._average, under("trained", tensors))
            if self._tuner:
                self._tuner.go_on_after(self.step)
            self._generator.set_state(tensors["draws"])
            if generator := dropout_generator(self.network):
                generator.set_state(tensors["dropout"])
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise CheckpointError(f"the checkpoint does not fit this training: {error}") from error
