"""What a program is written for: a config, and the machine that ``auto`` stands for."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from cnnlab.data.augmentation import choose, none
from cnnlab.data.spec import DatasetSpec
from cnnlab.errors import CnnLabError
from cnnlab.training.config import RunConfig
from cnnlab.training.device import CHANNELS_LAST, FUSED
from cnnlab.training.run_data import check_batches

ThreadChanges = tuple[tuple[int, int], ...]  # a step, and the torch threads from it on


class ProgramError(CnnLabError, ValueError):
    """A config that no program of seven steps tells; the message says why and what to choose."""


@dataclass(frozen=True)
class Setting:
    """A config with its data set, device and precision."""

    config: RunConfig
    spec: DatasetSpec
    device: str  # cpu, cuda or mps
    precision: torch.dtype  # float32: no autocast
    threads: ThreadChanges = ()

    @property
    def augment(self) -> str:
        """Return the name of the augmentation's function; empty where images stay as they are."""
        function = choose(self.config.augmentation, self.spec.augmentation)
        return "" if function is none else function.__name__

    @property
    def joins_single(self) -> bool:
        """Tell whether a last batch of one image joins the one before it."""
        return check_batches(self.config, self.spec)

    @property
    def is_parted(self) -> bool:
        """Tell whether a batch goes through the network in parts."""
        return self.config.images_at_once < self.config.batch_size

    @property
    def standardises(self) -> bool:
        """Tell whether pixels in 0…1 are rescaled before the network sees them."""
        return self.config.normalise != "unit"

    @property
    def mixes(self) -> bool:
        """Tell whether images and labels are mixed."""
        return bool(self.config.mixup or self.config.cutmix)

    @property
    def counts_steps(self) -> bool:
        """Tell whether anything depends on the number of steps taken."""
        return self.mixes or bool(self.config.weight_average or self.threads)

    @property
    def number(self) -> str:
        """Return the name of the precision: float32, bfloat16 or float16."""
        return str(self.precision).removeprefix("torch.")

    @property
    def channels_last(self) -> bool:
        return self.device in CHANNELS_LAST

    @property
    def fused(self) -> bool:
        return self.device in FUSED

    @property
    def on_device(self) -> str:
        """Write the call that moves a tensor to the device; empty on a CPU."""
        return "" if self.device == "cpu" else ".to(DEVICE)"

    def parted(self, items: str, size: str) -> str:
        """Write the parts of ``size`` of the tensor ``items``."""
        return f"split_joining_single({items}, {size})" if self.joins_single else f"{items}.split({size})"
