"""What a training says of itself: plain records, told apart by their ``kind``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Started:
    """Before the first step: the lengths of what is to come and where it runs."""

    epochs: int
    steps_per_epoch: int
    device: str
    precision: str
    kind: Literal["started"] = "started"


@dataclass(frozen=True)
class Tick:
    """One optimiser step is done. Carries no metrics: reading them would wait for the device."""

    step: int
    kind: Literal["tick"] = "tick"


@dataclass(frozen=True)
class StepMetrics:
    """Means over the batches since the last such record, as the network saw them (augmented, dropout on)."""

    step: int
    epoch: float  # position: 2.5 is half-way through the third epoch
    loss: float
    accuracy: float
    learning_rate: float
    images_per_second: float
    kind: Literal["step"] = "step"


@dataclass(frozen=True)
class EpochMetrics:
    """A whole epoch: running train means, and the validation split in evaluation mode."""

    epoch: int
    step: int
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float
    per_class: tuple[float, ...]  # validation accuracy of each class
    learning_rate: float
    images_per_second: float  # of this epoch's training, validation left out
    seconds: float  # since the start, validation included
    kind: Literal["epoch"] = "epoch"


@dataclass(frozen=True)
class RateChange:
    """Somebody changed the learning rate, just before the first step with it."""

    step: int  # that first one
    epoch: float  # position, as a step's
    learning_rate: float
    kind: Literal["rate"] = "rate"


@dataclass(frozen=True)
class Finished:
    """The training is over; the network now has the weights of ``epoch``."""

    epoch: int
    stopped_early: bool
    kind: Literal["finished"] = "finished"


Event = Started | Tick | StepMetrics | EpochMetrics | RateChange | Finished
Record = StepMetrics | EpochMetrics | RateChange  # what a history keeps


def to_record(event: Record) -> dict[str, Any]:
    """A JSON-ready dictionary."""
    return asdict(event)
