"""A training in a background thread: start, stop, and what it has come to so far."""

from __future__ import annotations

import atexit
import logging
import os
import weakref
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from time import monotonic
from typing import Literal

import torch
from torch import nn

from cnnlab.architectures import ArchitectureError
from cnnlab.config import ConfigError, RunConfig
from cnnlab.data import Data, DatasetError, DatasetSpec, Standardise, load_for, scaling
from cnnlab.events import Event
from cnnlab.history import History, to_line
from cnnlab.inference import check_fit, load_trained
from cnnlab.network import build
from cnnlab.runs import Run, RunError, RunStore, Summary
from cnnlab.strokes import DrawingError
from cnnlab.training import TrainingError, evaluate, fit

State = Literal["loading", "training", "judging", "finished", "stopped", "failed"]

log = logging.getLogger(__name__)

# Errors whose message already says what to do; any other is a defect and goes to the log with its traceback.
EXPECTED = (ArchitectureError, ConfigError, DatasetError, DrawingError, RunError, TrainingError)

_jobs: weakref.WeakSet[Job] = weakref.WeakSet()


class Job:
    """Trains one run in a daemon thread that knows nothing of who watches.

    Everything public may be read from any thread. ``history`` only grows, and an epoch enters it after its
    weights and metrics are on disk.
    """

    def __init__(self, run: Run, threads: int, data_folder: Path | None = None) -> None:
        self.run = run
        self.config: RunConfig = run.config
        self.summary: Summary = run.summary.model_copy(update={"status": "running"})
        self.threads = threads
        self.history = History()
        self.state: State = "loading"
        self.error = ""
        self.step = 0
        self.steps = 0  # of the whole run; 0 until known
        self._data_folder = data_folder
        self._unsaved: list[str] = []  # history lines of the running epoch
        self._epoch = 0  # the last whole one
        self._stop = Flag()
        self._ended = Flag()
        self._abandoned = False
        self._training_since = 0.0
        self._thread = Thread(target=self._work, name=f"train {run.id}", daemon=True)

    @classmethod
    def start(cls, config: RunConfig, store: RunStore, threads: int | None = None) -> Job:
        """Make the run's folder and begin."""
        job = cls(store.create(config), threads or fair_threads())
        _jobs.add(job)
        job._thread.start()
        return job

    @property
    def is_running(self) -> bool:
        return self.state in ("loading", "training", "judging")

    @property
    def is_abandoned(self) -> bool:
        return self._abandoned

    @property
    def progress(self) -> float:
        """Share of the steps done, 0…1."""
        return self.step / self.steps if self.steps else 0.0

    @property
    def seconds(self) -> float:
        """Since the first step could begin; 0 before."""
        return monotonic() - self._training_since if self._training_since else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Estimate from the speed so far; None before the first step."""
        if not self.step or self.state != "training":
            return None
        return self.seconds / self.step * (self.steps - self.step)

    def stop(self) -> None:
        """Ask for an end after the running step; what is whole is kept and judged."""
        self._stop.set()

    def abandon(self) -> None:
        """Ask for an end without judging: the run shows as interrupted."""
        self._abandoned = True
        self._stop.set()

    def join(self, timeout: float | None = None) -> None:
        """Wait until the job has ended, or ``timeout`` seconds."""
        # Thread.join loses its thread when Ctrl-C interrupts it while it waits with a timeout.
        if self._ended.wait(timeout):
            self._thread.join()

    def _work(self) -> None:
        torch.set_num_threads(self.threads)  # counts only for the thread that calls it
        try:
            with self.run.held():
                self._train()
        except EXPECTED as error:
            self._fail(str(error))
        except Exception as error:
            log.exception("run %s failed", self.run.id)
            self._fail(f"{type(error).__name__}: {error}")
        finally:
            self._ended.set()

    def _train(self) -> None:
        config = self.config
        data = load_for(config, self._data_folder)
        network = _begin(config, data.spec, RunStore(self.run.folder.parent))
        self._describe(data, network)
        self.run.save_weights(0, network.state_dict())
        self._training_since = monotonic()
        self.state = "training"
        for event in fit(network, data, config):
            self._take(event, network)
            if self._stop.is_set():
                break
        self.run.append_history(self._unsaved)
        if self._abandoned:
            self.state = "stopped"
            return
        self.state = "judging"
        stopped = self.step < self.steps and self._stop.is_set()
        self._judge(network, data)
        self._close("stopped" if stopped else "finished")

    def _take(self, event: Event, network: nn.Module) -> None:
        match event.kind:
            case "started":
                self.steps = event.epochs * event.steps_per_epoch
                self._update(device=event.device, precision=event.precision)
            case "tick":
                self.step = event.step
            case "step":
                self._unsaved.append(to_line(event))
                self.history.add(event)
            case "epoch":
                self.run.save_weights(event.epoch, network.state_dict())
                self.run.append_history([*self._unsaved, to_line(event)])
                self._unsaved.clear()
                self._epoch = event.epoch
                self.history.add(event)
            case "finished":
                self._epoch = event.epoch
                self.step = self.steps

    def _describe(self, data: Data, network: nn.Module) -> None:
        mean, std = scaling(data.spec, self.config.normalise)
        self._update(
            classes=data.spec.classes,
            shape=data.spec.shape,
            mean=mean,
            std=std,
            parameters=sum(parameter.numel() for parameter in network.parameters()),
            threads=self.threads,
        )

    def _judge(self, network: nn.Module, data: Data) -> None:
        """The one look at the test split, with the weights of the last whole (or best) epoch."""
        if not self._epoch:
            return
        network.load_state_dict(self.run.weights(self._epoch))
        device = next(network.parameters()).device
        standardise = Standardise(self.summary.mean, self.summary.std, device)
        test = evaluate(network, data.test.to(device), standardise)
        train = evaluate(network, data.train.to(device), standardise)
        epochs = self.history.epochs
        names = self.summary.classes
        self._update(
            epoch=self._epoch,
            train_accuracy=train.accuracy,
            validation_accuracy=epochs[self._epoch - 1]["validation_accuracy"],
            test_accuracy=test.accuracy,
            test_loss=test.loss,
            per_class=dict(zip(names, test.per_class, strict=True)),
            support=dict(zip(names, test.support, strict=True)),
            seconds=epochs[-1]["seconds"],
            images_per_second=len(epochs) / sum(1 / epoch["images_per_second"] for epoch in epochs),
        )

    def _close(self, state: Literal["finished", "stopped", "failed"]) -> None:
        self._update(status=state)
        self.state = state

    def _fail(self, message: str) -> None:
        self.error = message
        try:
            self._update(error=message)
            self._close("failed")
        except OSError:  # the disk may be what failed
            log.exception("run %s: its failure could not be written", self.run.id)
            self.state = "failed"

    def _update(self, **fields: object) -> None:
        self.summary = self.summary.model_copy(update=fields)
        self.run.write_summary(self.summary)


def _begin(config: RunConfig, spec: DatasetSpec, store: RunStore) -> nn.Sequential:
    """A new network, or the parent's as it was after its epoch."""
    network = build(config.architecture, spec.shape, len(spec.classes), config.seed)
    if config.parent:
        parent = store.open(config.parent.run)
        trained = load_trained(parent, config.parent.epoch)
        check_fit(parent, spec)
        if parent.config.architecture.layers != config.architecture.layers:
            raise ConfigError(f"architecture: run {parent.id}, whose weights are taken, has other layers")
        network.load_state_dict(trained.network.state_dict())
    return network


def running_jobs() -> list[Job]:
    """Trainings under way in this process."""
    return [job for job in list(_jobs) if job.is_running]


def fair_threads() -> int:
    """Threads for one more training: the cores shared among all that run, at least one."""
    return max(1, available_cores() // (len(running_jobs()) + 1))


def available_cores() -> int:
    """Cores this process may run on, fewer than the machine's in a container or under taskset."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@atexit.register
def _end_all() -> None:
    """A daemon thread inside torch while the interpreter ends would abort the process."""
    jobs = running_jobs()
    for job in jobs:
        job.abandon()
    for job in jobs:
        job.join()
