"""A training from what it begins with to its events, its weights and its tests: the same wherever it is carried out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from cnnlab.data.loading import Data
from cnnlab.errors import CnnLabError
from cnnlab.evaluation.evaluate import Evaluation
from cnnlab.training.checkpoint import Checkpoint
from cnnlab.training.config import Extension, RunConfig
from cnnlab.training.device import choose_device
from cnnlab.training.events import Event
from cnnlab.training.loop import Training
from cnnlab.training.thread_tuner import ThreadTuner


class LostError(CnnLabError):
    """Whoever trained is gone: the training continues from its last checkpoint elsewhere."""


@dataclass(frozen=True)
class Task:
    """What a training begins with, beside its images."""

    config: RunConfig
    network: nn.Sequential  # with its first weights, or those of the checkpoint's epoch
    started: tuple[str, ...] = ()  # layers that began with given weights
    extensions: tuple[Extension, ...] = ()
    checkpoint: Checkpoint | None = None  # of the last complete epoch
    threads: int = 1  # at most
    changes: tuple[tuple[int, int], ...] = ()  # pairs of a step and the threads from it on, which are repeated
    rates: tuple[tuple[int, float], ...] = ()  # pairs of a step and the rate set by hand for it, which are repeated


@dataclass(frozen=True)
class Saved:
    """What is kept of an epoch."""

    weights: Mapping[str, Tensor]  # of the layers that learn
    checkpoint: Checkpoint


Report = tuple[Event, Saved | None]  # with what is kept, at the end of an epoch


class Trainer:
    """Carry out a task in the calling thread. Between two events everything may be asked and changed.

    Raises as ``Training``, and CheckpointError where the checkpoint is of another training.
    """

    def __init__(self, task: Task, data: Data) -> None:
        self._training = Training(
            task.network, data, task.config, task.extensions, started=task.started, tuner=_tuner(task)
        )
        if task.checkpoint:
            self._training.restore(task.checkpoint)
        self._rates = dict(task.rates)

    def events(self) -> Iterator[Report]:
        """Train the remaining steps and epochs; raises as ``Training.events``."""
        training = self._training
        self._repeat_rate()
        for event in training.events():
            is_kept = event.kind == "epoch"
            saved = Saved(training.learning.state_dict(), training.checkpoint()) if is_kept else None
            self._repeat_rate()
            yield event, saved

    def rest(self, seconds: float) -> None:
        """Exclude ``seconds`` that passed between two steps from the time."""
        self._training.rest(seconds)

    def change_learning_rate(self, rate: float) -> None:
        """Set the learning rate of the next step; after it the schedule keeps its shape."""
        self._training.change_learning_rate(rate)

    def read_samples(self) -> Tensor:
        """Return the class probabilities of the samples: (S, classes)."""
        return self._training.read_samples()

    def judge_test(self, weights: Mapping[str, Tensor], check: Callable[[], None]) -> Evaluation:
        """Evaluate the network with ``weights`` on the test images, after the last event.

        ``check`` is called before each batch, also of the training images; what it raises ends the evaluation.
        """
        network = self._training.network
        network.load_state_dict(weights)
        network.register_forward_pre_hook(lambda *_: check())  # the network is discarded afterwards
        return self._training.judge_test()

    def judge_train(self) -> Evaluation:
        """Evaluate the same weights on the training images."""
        return self._training.judge_train()

    def close(self) -> None:
        """End it: nothing is left to be done here."""

    def _repeat_rate(self) -> None:
        """Set the rate that the next step had when it was taken before."""
        if rate := self._rates.pop(self._training.step + 1, None):
            self._training.change_learning_rate(rate)


def _tuner(task: Task) -> ThreadTuner | None:
    """Return what repeats the changes of threads, then follows the load; None where they stay as they are."""
    config = task.config
    if config.threads or task.threads == 1 or choose_device(config.device).type != "cpu":
        return None
    return ThreadTuner(task.threads, task.changes)
