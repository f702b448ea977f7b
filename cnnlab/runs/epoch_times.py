"""Measured epoch times of earlier trainings of the same network, to compare an estimate with."""

from __future__ import annotations

from collections.abc import Sequence

from cnnlab.data import augmentation
from cnnlab.data.spec import DatasetSpec
from cnnlab.networks.architecture import Draft
from cnnlab.runs.entry import Entry, layers_digest, macs
from cnnlab.training.config import RunConfig, field_title
from cnnlab.training.device import choose_device, choose_precision, threads_each
from cnnlab.training.epoch_time import epoch_images

_SAME = (
    "batch_size",
    "micro_batch",
    "optimizer",
    "validation_fraction",
    "train_fraction",
    "lessons",
    "learn_from",
    "feature_copies",
)


def epoch_seconds(entries: Sequence[Entry], draft: Draft, config: RunConfig, spec: DatasetSpec) -> list[float]:
    """Return the seconds per epoch, validation included, of each run that trained ``draft``'s layers with ``config``.

    Only runs with the device, precision and threads that a training would have here now count; layers' names do not
    matter. Raises ConfigError where the device is missing.
    """
    device = choose_device(config.device)
    precision = str(choose_precision(config.precision, device)).removeprefix("torch.")
    alike = (config.dataset, layers_digest(draft.layers), (str(device), precision, threads_each(config.threads)))
    settings = {field_title(name): value for name, value in config.scalars().items() if name in _SAME}
    augmented = augmentation.choose(config.augmentation, spec.augmentation)
    return [
        entry.row["Time, s"] / entry.last_saved
        for entry in entries
        if (entry.dataset, entry.layers, entry.speed) == alike
        and settings.items() <= entry.row.items()
        and augmentation.choose(entry.row["Augmentation"], spec.augmentation) == augmented
        and entry.row["Time, s"]
        and entry.last_saved
    ]


def rough_epoch_seconds(entries: Sequence[Entry], config: RunConfig, spec: DatasetSpec) -> float | None:
    """Estimate the seconds of an epoch from the fastest earlier run, as other work on the machine slows some.

    Runs of the same network are asked first, else the speed of others counts. None where no run tells a speed, or the
    network does not take such images.
    """
    if known := epoch_seconds(entries, config.architecture, config, spec):
        return min(known)
    work = macs(config.architecture, spec.shape, len(spec.classes))
    paces = [(entry.row["Images/s"], entry.row["MACs"]) for entry in entries]
    pace = max((speed * each for speed, each in paces if speed and each), default=0)  # MACs a second
    return sum(epoch_images(config, spec)) * work / pace if pace and work else None
