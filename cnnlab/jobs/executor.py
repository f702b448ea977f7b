"""Where trainings are carried out: in a thread of this process, or on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from threading import Lock
from typing import Literal, Protocol

from torch import Tensor

from cnnlab.cluster.address import wanted
from cnnlab.cluster.connection import Connection
from cnnlab.cluster.pool import Pool
from cnnlab.cluster.remote import RemoteTrainer
from cnnlab.data.loading import Data
from cnnlab.data.spec import DatasetSpec
from cnnlab.evaluation.evaluate import Evaluation
from cnnlab.jobs.queue import TrainingQueue, training_queue
from cnnlab.training.config import RunConfig
from cnnlab.training.device import Accelerator, threads_each
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

    @property
    def queue(self) -> TrainingQueue:
        """Where trainings wait for it, with as many slots as it carries out at once; more may come, some may go."""

    @property
    def patience(self) -> float | None:
        """The seconds that a paused training keeps its place; None: as long as the pause lasts."""

    @property
    def gives_way_after(self) -> Literal["tick", "epoch"]:
        """The event after which another may have a training's place."""

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

    queue = training_queue
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


class Cluster:
    """A cluster at an address: a training runs on one of its nodes, and a thread here keeps the run."""

    patience = 60.0  # then the steps since the last epoch are given up
    gives_way_after: Literal["tick", "epoch"] = "epoch"

    def __init__(self, address: str) -> None:
        self.queue = TrainingQueue(1, can_be_shared=False)  # 1 until it is open; a place on a node holds one process
        self._address = address
        self._lock = Lock()
        self._connected: tuple[Connection, Pool] | None = None

    def open(self) -> None:
        """Connect, the first time. Raises ClusterError where that is not possible."""
        self._opened()

    def check_device(self, config: RunConfig) -> None:
        """Do nothing: a node tells."""

    def check_memory(self, config: RunConfig, spec: DatasetSpec) -> None:
        """Do nothing: a node tells."""

    def begin(self, task: Task, data: Data, gives_up: Callable[[], bool]) -> Work | None:
        """Begin on a node."""
        return RemoteTrainer.begin(task, data, *self._opened(), gives_up)

    def close(self) -> None:
        """End the connection, where there is one."""
        with self._lock:
            if self._connected:
                connection, pool = self._connected
                pool.end()
                connection.close()
                self._connected = None

    def _opened(self) -> tuple[Connection, Pool]:
        with self._lock:
            if not self._connected:
                connection = Connection(self._address)
                self._connected = connection, Pool(connection, threads_each(), self._set_places)
            return self._connected

    def _set_places(self, places: int) -> None:
        self.queue.resize(max(1, places))


LOCAL = Local()


def chosen() -> Executor:
    """Return the executor that the environment names."""
    address = wanted()
    return _cluster(address) if address else LOCAL


_cluster = lru_cache(maxsize=None)(Cluster)
