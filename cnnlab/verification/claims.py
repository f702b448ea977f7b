"""What a run says of its training, strictly read: its settings, its summary, and every line of its history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import TypeVar

from pydantic import ValidationError
from torch import Tensor

from cnnlab.files import read_limited
from cnnlab.runs.kept_epochs import LAST, is_regular
from cnnlab.runs.run import MAX_READ, Run, RunError
from cnnlab.runs.summary import Summary
from cnnlab.runs.trained import load_trained
from cnnlab.training.config import RunConfig, last_epoch
from cnnlab.training.events import EpochMetrics, RateChange, Record, ThreadsChange
from cnnlab.training.history import History, from_line
from cnnlab.verification.difference import DiffersError

_BOM = b"\xef\xbb\xbf"
_Kind = TypeVar("_Kind", bound=Record)


@dataclass(frozen=True)
class Claims:
    """A run's settings, summary and history; nothing here is believed."""

    run: Run
    config: RunConfig
    summary: Summary
    records: tuple[Record, ...]

    @classmethod
    def of(cls, run: Run) -> Claims:
        """Read a run. Raises RunError where a file is missing or damaged, DiffersError where a line is no record."""
        return cls(run, run.config, run.summary, tuple(_records(run)))

    @cached_property
    def epochs(self) -> tuple[EpochMetrics, ...]:
        return self._of_kind(EpochMetrics)

    @cached_property
    def rates(self) -> dict[int, float]:
        """The learning rates that were set by hand, by their first step."""
        return {change.step: change.learning_rate for change in self._of_kind(RateChange)}

    @cached_property
    def changes_of_threads(self) -> list[tuple[int, int]]:
        """Pairs of a step and the threads from it on."""
        return [(change.step, change.threads) for change in self._of_kind(ThreadsChange)]

    def _of_kind(self, kind: type[_Kind]) -> tuple[_Kind, ...]:
        return tuple(record for record in self.records if isinstance(record, kind))

    @property
    def last(self) -> int:
        """The number of whole epochs, by its history."""
        return len(self.epochs)

    @property
    def has_ended(self) -> bool:
        """Whether it says that it ended as it should, and was tested then."""
        return self.summary.status in ("finished", "stopped")

    @property
    def was_torn(self) -> bool:
        """Whether it may have ended between the files of an epoch, as where it was killed or the disk was full."""
        return self.summary.status in ("interrupted", "failed")

    @cached_property
    def saved(self) -> list[int]:
        """The epochs whose weights are on disk; 0 is before training."""
        return self.run.epochs()

    @property
    def missing(self) -> list[int]:
        """The epochs whose weights a run keeps by its rule, but this one lacks."""
        epochs = range(self.last + 1)
        needed = [epoch for epoch in epochs if self.run.checkpoints.are_kept or self._is_needed(epoch)]
        return [epoch for epoch in needed if epoch not in self.saved]

    def _is_needed(self, epoch: int) -> bool:
        return is_regular(epoch) or epoch > self.last - LAST or epoch in self._best

    @cached_property
    def _best(self) -> set[int]:
        history = History()
        for record in self.epochs:
            history.add(record)
        return history.best_epochs

    def weights(self, epoch: int) -> dict[str, Tensor]:
        """Return the weights after ``epoch``. Raises DiffersError where they are no network's of this run."""
        try:
            return load_trained(self.run, epoch).network.state_dict()
        except RunError as error:
            raise DiffersError(epoch, "weights", str(error), "those of its network") from error

    def threads_at(self, step: float) -> int:
        """Return the torch threads of ``step``."""
        before = [threads for since, threads in self.changes_of_threads if since <= step]
        return before[-1] if before else self.summary.threads

    def check_lengths(self) -> None:
        """Raise DiffersError where epochs are too many or too few, or numbers of the summary are not the history's."""
        summary, planned = self.summary, last_epoch(self.config, self.summary.extensions)
        for number, row in enumerate(self.epochs, 1):
            if row.epoch != number:
                raise DiffersError(number, "epoch", row.epoch, number)
        if self.last > planned:
            raise DiffersError(planned + 1, "epochs", self.last, f"{planned} by its settings")
        if summary.status == "finished" and self.last < planned and not self.config.early_stopping:
            raise DiffersError(self.last, "epochs", f"finished after {self.last}", f"{planned} by its settings")
        beyond = self.last + self.was_torn
        if self.saved and self.saved[-1] > beyond:
            raise DiffersError(self.saved[-1], "epochs", self.last, f"weights of epoch {self.saved[-1]}")
        if summary.epoch > self.last:
            raise DiffersError(summary.epoch, "tested epoch", summary.epoch, f"{self.last} epochs in its history")
        if self.has_ended and summary.rates_set != len(self.rates):
            raise DiffersError(self.last, "rates set by hand", summary.rates_set, len(self.rates))
        for record in self.records:
            if record.step < 1:
                raise DiffersError(0, record.kind, f"step {record.step}", "steps from 1 on")
        for step, threads in self.changes_of_threads:
            if not 1 <= threads <= summary.threads:
                raise DiffersError(self.epoch_of(step), "threads", threads, f"1 to {summary.threads} by its summary")

    def epoch_of(self, step: int) -> int:
        """Return the epoch that ``step`` is of."""
        each = self.epochs[0].step if self.epochs else step
        return ceil(step / each) if each else 0


def _records(run: Run) -> Sequence[Record]:
    """Read a history; a killed run may leave half a line at its end."""
    try:
        content = read_limited(run.folder / "history.jsonl", MAX_READ["history.jsonl"])
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RunError(f"run {run.id}: its history.jsonl cannot be read ({error})") from error
    *lines, torn = content.removeprefix(_BOM).split(b"\n")
    records: list[Record] = []
    for number, line in enumerate((*lines, torn), 1):
        try:
            records.append(from_line(line))
        except ValidationError as error:
            if number <= len(lines):
                raise DiffersError(0, f"line {number} of its history", "no record", "a record") from error
    return records
