"""Epoch time of a design, layer by layer, with a note on where it is from."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import mean

from cnnlab.data.datasets import DATASETS
from cnnlab.data.spec import DatasetSpec
from cnnlab.jobs.job import running_jobs
from cnnlab.networks.architecture import Draft, Place
from cnnlab.quantities import duration
from cnnlab.training.config import RunConfig
from cnnlab.training.epoch_time import without_data
from cnnlab.ui.design.state import Images
from cnnlab.ui.shell import frame
from cnnlab.ui.widgets import epoch_timing

IMAGES = 1_000  # assumed where there is no data set


@dataclass(frozen=True)
class Times:
    """Seconds of an epoch by layer and in total, as far as they are known, with a note."""

    layers: dict[Place, float]
    total: float | None
    note: str
    waiting: int  # parts not measured yet


def times(draft: Draft, images: Images) -> Times:
    """Return the times known now."""
    epoch = epoch_timing.estimated(draft, *_training(images))
    layers: dict[Place, float] = {
        (number,): seconds for number, seconds in enumerate(epoch.layers) if seconds is not None
    }
    return Times(layers, epoch.total, _note(draft, images, epoch.total, epoch.waiting), epoch.waiting)


def keep_time(draft: Draft, images: Images) -> None:
    """Measure what is missing and redraw the page when done; call it where something is missing."""
    epoch_timing.keep_measuring(draft, *_training(images))


def _training(images: Images) -> tuple[RunConfig, DatasetSpec]:
    """Build the training that the estimate assumes: the default config with the chosen batch size."""
    config = RunConfig(batch_size=images.batch_size)
    if images.dataset:
        return config.model_copy(update={"dataset": images.dataset}), DATASETS[images.dataset]
    return config, without_data(images.shape, images.classes, IMAGES)


def _note(draft: Draft, images: Images, total: float | None, waiting: int) -> str:
    if waiting:
        return "The time can be measured once no training runs." if running_jobs() else "Measuring the time …"
    if total is None:
        return "The time per epoch is unknown: a layer does not fit or is too large to measure."
    if not images.dataset:
        return f"Time for one epoch of {IMAGES:,} images."
    truth = epoch_timing.measured(draft, *_training(images))
    if not truth:
        return (
            "An estimate: the measured times of all layers plus the overhead of each step. No run has measured it yet."
        )
    return (
        f"Measured in {frame.counted(len(truth), 'run')}: {duration(mean(truth))} an epoch (estimate "
        f"{duration(total)})."
    )
