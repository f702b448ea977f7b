"""Events of a training: plain records with a ``kind``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from cnnlab.training.machine_kind import MachineKind


@dataclass(frozen=True)
class Started:
    """The start of a training, before its first step: the lengths of what follows and the device it runs on."""

    epochs: int
    steps_per_epoch: int
    device: str
    precision: str
    machine: MachineKind
    kind: Literal["started"] = "started"


@dataclass(frozen=True)
class Prepared:
    """Progress before the first step: images whose features, of frozen layers, are computed or were kept."""

    images: int
    of: int
    computed: int  # of these, not kept from before
    kind: Literal["prepared"] = "prepared"


@dataclass(frozen=True)
class Tick:
    """The end of one optimiser step. It carries no metrics: reading them would wait for the device."""

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
    """The metrics of a whole epoch: running means of training, and the validation split in evaluation mode."""

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
    """A change of the learning rate by hand, just before the first step with it."""

    step: int  # the first step with the rate
    epoch: float  # position, as in StepMetrics
    learning_rate: float
    kind: Literal["rate"] = "rate"


@dataclass(frozen=True)
class ThreadsChange:
    """A change of the number of torch threads, just before the first step with it. It changes the last digits."""

    step: int  # the first step with it
    epoch: float  # position, as in StepMetrics
    threads: int
    kind: Literal["threads"] = "threads"


@dataclass(frozen=True)
class Finished:
    """The end of a training; the network now has the weights of ``epoch``."""

    epoch: int
    stopped_early: bool
    kind: Literal["finished"] = "finished"


Event = Started | Prepared | Tick | StepMetrics | EpochMetrics | RateChange | ThreadsChange | Finished
Record = StepMetrics | EpochMetrics | RateChange | ThreadsChange  # what a history holds


def to_record(event: Record) -> dict[str, Any]:
    """Return a dictionary that JSON can hold."""
    return asdict(event)
