"""A run's history: metric records → JSON lines and data frames. Python scalars only."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Annotated, Any

import pandas as pd
from pydantic import Field, TypeAdapter

from cnnlab.training import events

Record = dict[str, Any]

_RECORD: TypeAdapter[events.Record] = TypeAdapter(Annotated[events.Record, Field(discriminator="kind")])


def to_line(event: events.Record) -> str:
    """Return an event as JSON, without the end of the line."""
    return json.dumps(events.to_record(event))


def from_line(line: str | bytes) -> events.Record:
    """Return the event of a line, each field checked. Raises ValidationError."""
    return _RECORD.validate_json(line, strict=True)


STEP_COLUMNS = ["step", "epoch", "loss", "accuracy", "learning_rate", "images_per_second"]
EPOCH_COLUMNS = [
    "epoch",
    "step",
    "train_loss",
    "train_accuracy",
    "validation_loss",
    "validation_accuracy",
    "per_class",
    "learning_rate",
    "images_per_second",
    "seconds",
]
RATE_COLUMNS = ["step", "epoch", "learning_rate"]
THREADS_COLUMNS = ["step", "epoch", "threads"]


@dataclass
class History:
    """Records in the order of time: ``steps`` within epochs, ``epochs`` at their ends, changes in between.

    ``rates`` were set by the user, ``threads`` by a ThreadTuner.
    """

    steps: list[Record] = field(default_factory=list)
    epochs: list[Record] = field(default_factory=list)
    rates: list[Record] = field(default_factory=list)
    threads: list[Record] = field(default_factory=list)

    @classmethod
    def from_lines(cls, lines: Iterable[str]) -> History:
        """Read JSON lines up to the first that is torn or foreign: a killed run may leave half a line."""
        history = cls()
        for line in lines:
            try:
                record = json.loads(line)
                history._keep(record)
            except (ValueError, KeyError, TypeError, RecursionError):
                break
        return history

    @property
    def was_trained(self) -> bool:
        """Whether any step was taken: a network that came from elsewhere was only judged."""
        return any(epoch["step"] for epoch in self.epochs)

    @property
    def best_epochs(self) -> set[int]:
        """The first epochs of the highest validation accuracy and of the lowest validation loss; none before any."""
        if not self.epochs:
            return set()
        accurate = max(self.epochs, key=itemgetter("validation_accuracy"))
        return {accurate["epoch"], min(self.epochs, key=itemgetter("validation_loss"))["epoch"]}

    def better_epoch(self, epoch: int) -> int | None:
        """Return the epoch of the highest validation accuracy where that is higher than after ``epoch``."""
        known = {row["epoch"]: row["validation_accuracy"] for row in self.epochs}
        best = max(known, key=known.__getitem__, default=epoch)
        return best if epoch in known and known[best] > known[epoch] else None

    def add(self, event: events.Record) -> None:
        """Append an event."""
        self._keep(events.to_record(event))

    def _keep(self, record: Record) -> None:
        rows, columns = {
            "step": (self.steps, STEP_COLUMNS),
            "epoch": (self.epochs, EPOCH_COLUMNS),
            "rate": (self.rates, RATE_COLUMNS),
            "threads": (self.threads, THREADS_COLUMNS),
        }[record["kind"]]
        rows.append({column: record[column] for column in columns})

    def epoch_frame(self) -> pd.DataFrame:
        """Return one row per finished epoch, columns EPOCH_COLUMNS; empty before the first."""
        return pd.DataFrame(self.epochs, columns=EPOCH_COLUMNS)
