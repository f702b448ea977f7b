"""A run's training, executed again from what the run says of its settings; its results are only compared with."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from math import ceil, inf
from pathlib import Path

from cnnlab.data.loading import Data
from cnnlab.runs.ancestry import ancestors
from cnnlab.runs.first_network import untrained_network
from cnnlab.runs.store import RunStore
from cnnlab.runs.summary import MAX_ANCESTORS, Learned
from cnnlab.training.checkpoint import CheckpointError
from cnnlab.training.events import Event, Record
from cnnlab.training.loop import Training
from cnnlab.training.remedy import TrainingError
from cnnlab.training.thread_tuner import ThreadRepeater
from cnnlab.verification.claims import Claims
from cnnlab.verification.difference import DiffersError, compare, compare_records, compare_tensors


class Replay:
    """What begins a run's training again: at its start, or at the checkpoint of an epoch."""

    def __init__(self, claims: Claims, data: Data, features_in: Path) -> None:
        self.claims, self.data, self.features_in = claims, data, features_in

    def begin(self) -> Training:
        """Set up the training as it was before its first step; raises as ``untrained_network``."""
        claims = self.claims
        network, started = untrained_network(claims.run, self.data.spec)
        compare(0, "layers with given weights", claims.summary.started, started)
        self._check_ancestors()
        return Training(
            network,
            self.data,
            claims.config,
            claims.summary.extensions,
            started=started,
            tuner=ThreadRepeater(claims.summary.threads, claims.changes_of_threads),
            features_in=self.features_in,
        )

    def resume(self, epoch: int) -> Training:
        """Set up the training as it was after ``epoch``, by its weights and its checkpoint.

        Raises DiffersError where these are none of this training.
        """
        training = self.begin()
        training.network.load_state_dict(self.claims.weights(epoch))
        try:
            training.restore(self.claims.run.checkpoints.read(epoch))
            compare(epoch, "epoch of its checkpoint", training.epoch, epoch)
        except CheckpointError as error:
            raise DiffersError(epoch, "checkpoint", str(error), "that of its training") from error
        return training

    def _check_ancestors(self) -> None:
        """Check that it names its ancestors' images, which it must not be judged by."""
        origin = self.claims.config.comes_from
        if not origin:
            return
        parent = RunStore(self.claims.run.folder.parent).open(origin.run)
        found = tuple(dict.fromkeys([Learned.of(parent.config), *ancestors(parent)]))[:MAX_ANCESTORS]
        compare(0, "ancestors", self.claims.summary.ancestors, found)


class Comparison:
    """A training that is executed and compared, event by event, with a run's records up to a step, and its weights."""

    def __init__(self, claims: Claims, training: Training, last_step: float = inf) -> None:
        self.claims, self.training = claims, training
        self.compared: list[int] = []  # epochs whose weights were
        self._events = self._executed()
        self._left: dict[str, deque[Record]] = defaultdict(deque)
        for record in claims.records:
            if training.step < record.step <= last_step:
                self._left[record.kind].append(record)

    def run(self, until: int) -> Iterator[Event]:
        """Execute up to the end of epoch ``until`` and the last record, and yield the events. Raises DiffersError."""
        try:
            for event in self._events:
                self._see(event)
                yield event
                if self.training.epoch >= until and not any(self._left.values()):
                    return
        except TrainingError as error:
            raise DiffersError(self.training.epoch, "training", "it continues", str(error)) from error
        left = next((records[0] for records in self._left.values() if records), None)
        told = f"{left.kind} {left.step}" if left else f"epoch {until}"
        raise DiffersError(self.training.epoch, "end of the training", told, f"it ends after step {self.training.step}")

    def finish(self) -> int:
        """Return the epoch whose weights the training ends with. Raises DiffersError where it continues."""
        for event in self._events:
            if event.kind == "finished":
                return event.epoch
            if event.kind not in ("started", "prepared"):
                break
        raise DiffersError(self.claims.last, "end of the training", "finished", "it continues")

    def compare_weights(self, epoch: int) -> None:
        """Compare the network's weights with those that are saved of ``epoch``, if any are."""
        if epoch in self.claims.saved:
            compare_tensors(epoch, "weights", self.claims.weights(epoch), self.training.network.state_dict())
            self.compared.append(epoch)

    def _executed(self) -> Iterator[Event]:
        """Train, with the rates that were set by hand."""
        for event in self.training.events():
            if event.kind in ("started", "tick") and (rate := self.claims.rates.get(self.training.step + 1)):
                self.training.change_learning_rate(rate)
            yield event

    def _see(self, event: Event) -> None:
        match event.kind:
            case "step" | "rate" | "threads" | "epoch":
                left, epoch = self._left[event.kind], ceil(event.epoch)
                if left or epoch <= self.claims.last:  # of an epoch that stayed incomplete it need not tell all
                    compare_records(epoch, left.popleft() if left else None, event)
                if event.kind == "epoch":
                    self.compare_weights(epoch)
