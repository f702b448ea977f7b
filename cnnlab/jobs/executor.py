"""Where trainings are carried out: in a thread of this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Literal, Protocol

from torch import Tensor

from cnnlab.data.loading import Data
from cnnlab.data.spec import DatasetSpec
from cnnlab.evaluation.evaluate import Evaluation
from cnnlab.jobs.queue import TrainingQueue
from cnnlab.training.config import RunConfig
from cnnlab.training.device import Accelerator
from cnnlab.training.memory import check_memory
from cnnlab.training.trainer import Report, Task, Trainer


class Work(Protocol):
    """A training that is carried out somewhere: what a ``Trainer`` does."""

    def events(self) -> Iterator[Report]: ...
    def rest(self, seconds: float) -> None: ...
    def change_learning_rate(self, rate: float) -> None: ...
    def read_samples(self) -> Tensor: ...
    def judge_test(self, weights: Mapping[str, Tensor], check: Callable[[], None]) -> Evaluation: ...
    def judge_train(self) -> Evaluation: ...
    def close(self) -> None: ...


class Executor(Protocol):
    """A way to carry trainings out."""

    queue: TrainingQueue | None  # of its own; None: this process's
    patience: float | None  # seconds that a paused training keeps its place; None: as long as it lasts
    gives_way_after: Literal["tick", "epoch"]  # the event after which another may have a training's place

    def open(self) -> None:
        """Make it ready. Raises CnnLabError where it cannot be used."""

    def check_device(self, config: RunConfig) -> None:
        """Raise ConfigError where the device, or its precision, is known to be missing."""

    def check_memory(self, config: RunConfig, spec: DatasetSpec) -> None:
        """Raise ConfigError where it is known that memory is too small."""

    def begin(self, task: Task, data: Data, gives_up: Callable[[], bool]) -> Work | None:
        """Begin a training, as soon as there is a place for it; None where ``gives_up()`` was true before."""


class Local:
    """This process: a training runs in the thread that asks for it."""

    queue = None
    patience = None
    gives_way_after: Literal["tick", "epoch"] = "tick"

    def open(self) -> None:
        """Do nothing: it is ready."""

    def check_device(self, config: RunConfig) -> None:
        """Raise ConfigError where the device, or its precision, is not available here."""
        Accelerator.of(config)

    def check_memory(self, config: RunConfig, spec: DatasetSpec) -> None:
        """Raise ConfigError where less memory is free than a training needs."""
        check_memory(config, spec)

    def begin(self, task: Task, data: Data, gives_up: Callable[[], bool]) -> Work | None:
        """Begin at once."""
        return Trainer(task, data)


LOCAL = Local()


def chosen() -> Executor:
    """Return the executor of new trainings."""
    return LOCAL
