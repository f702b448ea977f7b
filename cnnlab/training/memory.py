"""Estimates of the memory of a training; one that needs too much is refused with what to lower."""

from __future__ import annotations

import re
import sys
from bisect import bisect
from dataclasses import dataclass
from math import inf, prod
from pathlib import Path

import psutil
import torch

from cnnlab.data.augmentation import choose, none
from cnnlab.data.batches import prepared_at_once
from cnnlab.data.spec import DatasetSpec
from cnnlab.evaluation.evaluate import affordable_batch, evaluation_batch
from cnnlab.networks.architecture import BYTES_PER_NUMBER
from cnnlab.networks.kept import kept_bytes
from cnnlab.training.config import ConfigError, RunConfig
from cnnlab.training.device import Accelerator, choose_device
from cnnlab.training.features import AT_ONCE
from cnnlab.training.run_data import frozen_layers, layers_of

GB = 1e9  # bytes
MOMENTS = {"sgd": 1, "adam": 2, "adamw": 2, "rmsprop": 2}  # numbers that an optimiser keeps of each weight, at most
COPIES = 3  # of a weight beside the optimiser's: itself, its gradient, the best so far
AVERAGED = 1  # where an average of the weights is taken
KEPT = 1.25  # times what the backward pass needs: the rest is for gradients on their way
SHORTCUTS = 500 * 10**6  # bytes that a network with residual blocks takes besides, up to as many as it keeps
JUDGED = 2.5  # of the largest activation, where nothing is kept: a layer's input, its output, a shortcut now and then
HELD = 2  # copies of each image: as it is read, and as its split has it
KEPT_ON_DEVICE = 0.4  # of the free memory, for images: the rest is for weights and activations
# Times an image's float numbers while it is augmented; of a grey one, coordinates are the larger part.
AUGMENTED = {"none": 3, "grey": 8, "colour": 5}
WORKSPACE = 40 * 10**6  # bytes of torch itself, for kernels and what it caches for the next step
CGROUP = Path("/sys/fs/cgroup")
SPARE = 0.9  # of the free memory: other processes on the machine need some too
FEWEST = 2  # images at once: batch norm compares them

SHORT_OF_MEMORY = (
    "memory ran out: take fewer images at once (a smaller micro-batch or batch), choose a smaller network, or wait "
    "until other trainings have finished; then resume, or branch off with other settings"
)


@dataclass(frozen=True)
class Needs:
    """Bytes that a training takes on its device, by use."""

    weights: int
    activations: int
    images: int

    @property
    def total(self) -> int:
        return self.weights + self.activations + self.images + WORKSPACE


def needs(config: RunConfig, spec: DatasetSpec) -> Needs:
    """Return an estimate of the memory: on a CPU, 18 trainings at 28 to 224 px took 0.64 to 0.94 of it.

    Raises ArchitectureError where a layer does not fit the images, ConfigError where the device is missing.
    """
    rows, frozen = layers_of(config, spec), frozen_layers(config, spec)
    learning = rows[len(frozen) :]
    accelerator = Accelerator.of(config)
    precision = accelerator.precision
    largest = max(prod(row.output_shape) for row in rows) * BYTES_PER_NUMBER
    pixels = prod(spec.shape)
    batch, at_once = (min(size, spec.sizes[0]) for size in (config.batch_size, config.images_at_once))
    kept = kept_bytes(config.architecture, spec.shape, len(spec.classes), config.learn_from) * at_once
    kept = kept * precision.itemsize // BYTES_PER_NUMBER
    has_shortcuts = any(layer.kind == "residual" for layer in config.architecture.layers)
    prepared = min(prepared_at_once(batch, spec.shape), spec.sizes[0])
    is_mapped = spec.mapped is not None and accelerator.device.type == "cpu"  # read from disk where it is looked at
    is_streamed = pixels * spec.sizes[0] > room_for_images(accelerator.device)
    held = 0 if is_mapped or is_streamed else HELD * sum(spec.sizes)
    copies = COPIES + MOMENTS[config.optimizer] + (AVERAGED if config.weight_average else 0)
    judged = min(evaluation_batch(spec.shape), affordable_batch(rows))
    passed = max((row.peak_bytes for row in frozen), default=0) * (AT_ONCE if config.keeps_features else at_once)
    weights = sum(row.parameters for row in learning) * copies + sum(row.parameters for row in frozen)
    return Needs(
        weights=weights * BYTES_PER_NUMBER,
        # Their sum: memory that training has let go of lies in pieces of other sizes than validation needs.
        activations=round(KEPT * kept + JUDGED * largest * judged) + passed + has_shortcuts * min(kept, SHORTCUTS),
        images=pixels * held + prepared * augmented_bytes(config, spec),
    )


def augmented_bytes(config: RunConfig, spec: DatasetSpec) -> int:
    """Return the bytes that an image takes while it is augmented."""
    is_plain = choose(config.augmentation, spec.augmentation) is none
    numbers = AUGMENTED["none" if is_plain else "grey" if spec.shape[0] == 1 else "colour"]
    return prod(spec.shape) * BYTES_PER_NUMBER * numbers


def room_for_images(device: torch.device) -> float:
    """Return the bytes of images that a training keeps on ``device``; larger sets are copied to it batch by batch."""
    return inf if device.type == "cpu" else KEPT_ON_DEVICE * free_bytes(device)


def free_bytes(device: torch.device) -> int:
    """Return the bytes that a training may still take on ``device``."""
    if device.type == "cuda":
        cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)  # by torch, for later tensors
        return int(torch.cuda.mem_get_info(device)[0]) + cached
    return min(psutil.virtual_memory().available, _left_to_container())


def _left_to_container() -> int:
    """Return the bytes left of a Linux container's limit (cgroup version 2); its cached files count as free."""
    try:
        limit, used = (int((CGROUP / f"memory.{name}").read_text()) for name in ("max", "current"))
        cached = re.search(r"^inactive_file (\d+)$", (CGROUP / "memory.stat").read_text(), re.MULTILINE)
    except (OSError, ValueError):  # no limit
        return sys.maxsize
    return limit - used + (int(cached[1]) if cached else 0)


def ran_out(error: Exception) -> bool:
    """Tell whether ``error`` means that memory ran out; torch has no exception type for a CPU's."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and "allocate memory" in str(error)
    )


def check_memory(config: RunConfig, spec: DatasetSpec) -> None:
    """Raise ConfigError where ``config`` needs more than is free.

    Its message gives how many images at once fit, as that changes the result least, else a batch size that fits.
    """
    asked, free = needs(config, spec).total, SPARE * free_bytes(choose_device(config.device))
    if asked <= free:
        return
    what = f"this needs about {asked / GB:.1f} GB of memory, and {free / GB:.1f} GB are free"
    batch, at_once = (min(size, spec.sizes[0]) for size in (config.batch_size, config.images_at_once))
    if (fewer := _largest("micro_batch", at_once, config, spec, free)) >= FEWEST:
        alike = -(-batch // -(-batch // fewer))  # parts of equal size
        kept = "with which a step still learns from a whole batch"
        raise ConfigError(f"micro_batch: {what}: set it to {alike} images at once, {kept}, or choose a smaller network")
    if smaller := _largest("batch_size", batch, config, spec, free):
        raise ConfigError(f"batch_size: {what}: lower it to {smaller} or choose a smaller network")
    raise ConfigError(f"architecture: {what}: choose a smaller network or data set")


def _largest(field: str, below: int, config: RunConfig, spec: DatasetSpec, free: float) -> int:
    """Return the largest value of ``field`` under ``below`` with which a training fits ``free`` bytes; 0 for none."""

    def is_too_large(value: int) -> bool:
        return needs(config.model_copy(update={field: value}), spec).total > free

    return bisect(range(1, below), False, key=is_too_large)
