"""A training on a node, as the server sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from cnnlab.cluster.connection import Connection, Process
from cnnlab.cluster.pool import Pool
from cnnlab.cluster.wire import pack, pack_data, pack_task, unpack_report
from cnnlab.data.loading import Data
from cnnlab.evaluation.evaluate import Evaluation
from cnnlab.training.trainer import Report, Task

SLICE = 0.75  # seconds of training in one request, which costs 2 ms here; then it does what was asked meanwhile
FIRST_SLICE = 0.01  # seconds: the first step shows at once; each following slice is twice as long


class RemoteTrainer:
    """Carry out a task on a node, as ``Trainer`` does here. Raises LostError where the node is gone.

    Between two requests the training stands still, so that whatever is asked counts from a known step on.
    """

    def __init__(self, process: Process, pool: Pool) -> None:
        self._process, self._pool = process, pool
        self._rate: float | None = None  # to be set with the next request
        self._rested = 0.0  # seconds, likewise
        self._check: Callable[[], None] = lambda: None

    @classmethod
    def begin(
        cls, task: Task, data: Data, connection: Connection, pool: Pool, gives_up: Callable[[], bool]
    ) -> RemoteTrainer | None:
        """Begin on the node with the most free places; None where there is none until ``gives_up()``.

        Raises as ``Trainer``, ClusterError where the cluster is gone, ConfigError where the node has too little memory.
        """
        connection.nodes()  # raises where there is no cluster any more
        process = pool.take(gives_up)
        if not process:
            return None
        trainer = cls(process, pool)
        try:
            process.check_version()
            splits, tensors = pack_data(data)
            process.ask("begin", pack_task(task, data.spec), splits, *map(connection.place, tensors))
        except BaseException:
            trainer.close()
            raise
        return trainer

    def events(self) -> Iterator[Report]:
        """Train the remaining steps and epochs."""
        is_over, seconds = False, FIRST_SLICE
        while not is_over:
            rate, rested, self._rate, self._rested = self._rate, self._rested, None, 0.0
            answer = self._process.ask("advance", seconds, rate, rested)
            is_over, seconds = answer["is_over"], min(2 * seconds, SLICE)
            yield from map(unpack_report, answer["reports"])

    def rest(self, seconds: float) -> None:
        """Exclude ``seconds`` that passed between two steps from the time."""
        self._rested += seconds

    def change_learning_rate(self, rate: float) -> None:
        """Set the learning rate of the next step."""
        self._rate = rate

    def read_samples(self) -> Tensor:
        """Return the class probabilities of the samples: (S, classes)."""
        return torch.tensor(self._process.ask("read_samples")["samples"])

    def judge_test(self, weights: Mapping[str, Tensor], check: Callable[[], None]) -> Evaluation:
        """Evaluate ``weights`` on the test images; what ``check`` raises ends the waiting for it and its process."""
        self._check = check
        return self._judge("judge_test", pack(weights))

    def judge_train(self) -> Evaluation:
        """Evaluate the same weights on the training images."""
        return self._judge("judge_train")

    def close(self) -> None:
        """Give the process back; a second time does nothing."""
        self._pool.give_back(self._process)

    def _judge(self, method: str, *values: Any) -> Evaluation:
        try:
            return Evaluation(**self._process.ask(method, *values, check=self._check))
        except BaseException:
            self._process.kill()  # it may still be at work
            raise
