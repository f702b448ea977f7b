"""What runs take on disk: of a training before it starts, of all runs together, and where there is too little room."""

from __future__ import annotations

import os
from dataclasses import dataclass
from math import inf
from pathlib import Path
from shutil import disk_usage

from cnnlab.data.datasets import dataset_spec
from cnnlab.data.spec import DatasetSpec
from cnnlab.files import bytes_below
from cnnlab.networks.architecture import BYTES_PER_NUMBER
from cnnlab.quantities import size
from cnnlab.runs.kept_epochs import most_kept
from cnnlab.runs.run import Run, RunError
from cnnlab.runs.summary import Summary
from cnnlab.training.config import RunConfig
from cnnlab.training.memory import MOMENTS
from cnnlab.training.run_data import frozen_layers, layers_of

VARIABLE = "CNNLAB_RUNS_GB"
MB, GB = 1e6, 1e9  # bytes
METRICS = 10_000  # bytes of an epoch's lines in the history, about
DELETE = "delete runs on Compare, there also for good"


class RoomError(RunError):
    """All runs together take as much as is allowed; the message says how much, and how to make room."""


@dataclass(frozen=True)
class DiskNeeds:
    """What a training leaves on disk, at most."""

    kept: int  # epochs whose weights stay
    epochs: int
    bytes: int

    @property
    def title(self) -> str:
        """Both in words: "up to 56 of 200 epochs: 328 MB"."""
        epochs = f"up to {self.kept} of {self.epochs} epochs" if self.kept < self.epochs else "every epoch"
        return f"{epochs}: {size(self.bytes)}"


def disk_needs(config: RunConfig, spec: DatasetSpec, after: int = 0, provable: bool = False) -> DiskNeeds:
    """Return what a training of ``config`` leaves on disk, or one of as many further epochs ``after`` earlier ones.

    A ``provable`` one keeps weights and checkpoint of each epoch. Raises ArchitectureError where a layer does not fit
    the images.
    """
    learning = layers_of(config, spec)[len(frozen_layers(config, spec)) :]
    weights = BYTES_PER_NUMBER * sum(row.parameters for row in learning)
    kept = config.epochs if provable else most_kept(after + config.epochs, after)
    copies = MOMENTS[config.optimizer] + bool(config.early_stopping) + bool(config.weight_average)  # to continue from
    checkpoints = 1 + kept * provable
    return DiskNeeds(kept, config.epochs, weights * (kept + 1 + copies * checkpoints) + METRICS * config.epochs)


def taken_by(run: Run, summary: Summary) -> int:
    """Return the bytes of a run's files as they were counted when it ended; those of others are counted now."""
    is_counted = summary.disk_bytes and summary.status not in ("running", "interrupted")
    return summary.disk_bytes if is_counted else run.disk_bytes


def allowed_bytes() -> float:
    """Return what all runs of a server may take together: the environment's CNNLAB_RUNS_GB, else no limit."""
    return GB * float(os.environ.get(VARIABLE) or inf)


def check_room(runs: Path, more: int = 0) -> None:
    """Raise RoomError where the folder ``runs`` would take more than is allowed with ``more`` bytes.

    Deleted runs count too: until they are gone for good, they take as much as before.
    """
    allowed = allowed_bytes()
    if allowed < inf and (used := bytes_below(runs)) + more > allowed:
        adds = f", and this would add {size(more)}" if more else ""
        raise RoomError(
            f"all runs together take {size(used)} of the {size(allowed)} that this server allows ({VARIABLE}){adds}: "
            f"{DELETE}"
        )


def check_training(runs: Path, config: RunConfig, after: int = 0, provable: bool = False) -> None:
    """Raise RoomError where a training of ``config`` may not add to ``runs`` what it leaves; else as ``disk_needs``."""
    if allowed_bytes() < inf:
        check_room(runs, disk_needs(config, dataset_spec(config.dataset), after, provable).bytes)


def shortage(runs: Path, more: int) -> str:
    """Say how much room is missing on the disk of ``runs`` for ``more`` bytes; empty where there is enough."""
    there = next(folder for folder in (runs, *runs.absolute().parents) if folder.exists())
    free = disk_usage(there).free
    if more <= free:
        return ""
    return f"Only {size(free)} of disk are free, and this needs {size(more)}: train for fewer epochs, or {DELETE}."
