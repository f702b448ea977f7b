"""Measurements of a network between two epochs, layer by layer: gradients, and units that are dead."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from typing import Self, cast

import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from cnnlab.data.batches import Standardise, scaling
from cnnlab.data.spec import DatasetSpec
from cnnlab.data.splits import Split
from cnnlab.networks.build import BATCH_NORMS
from cnnlab.training.config import RunConfig
from cnnlab.training.run_data import layers_of

IMAGES = 256  # of the training images, the same in each epoch
FEWEST, BYTES = 8, 200_000_000  # images, whatever their maps take, and the most that the maps of more take
RECTIFIERS = nn.ReLU, nn.ReLU6


class LayerProbe(BaseModel):
    """A layer with weights: their size and their gradient's, both as root mean squares."""

    model_config = ConfigDict(frozen=True)

    name: str
    weight: float
    gradient: float

    @property
    def share(self) -> float:
        """The gradient relative to the weights; 0 where these are 0."""
        return self.gradient / self.weight if self.weight else 0.0


class UnitProbe(BaseModel):
    """A rectifier, and the share of its units that give zero for every image."""

    model_config = ConfigDict(frozen=True)

    name: str
    dead: float


class Probe(BaseModel):
    """A network after an epoch, measured on some training images as they are, without augmentation and dropout."""

    model_config = ConfigDict(frozen=True)

    epoch: int  # 0: before training
    loss: float  # batch norms in training mode, on all images of the probe at once
    accuracy: float
    input_mean: float
    input_std: float
    layers: tuple[LayerProbe, ...]
    units: tuple[UnitProbe, ...]

    @property
    def most_dead(self) -> UnitProbe | None:
        """The activation with the largest share of dead units; None where the network has no rectifier."""
        return max(self.units, key=lambda unit: unit.dead, default=None)


@dataclass(frozen=True)
class Sample:
    """Training images that probes look at, without augmentation, as they enter the first layer."""

    inputs: Tensor  # (N, C, H, W)
    labels: Tensor  # (N,)

    @classmethod
    def of(cls, train: Split, config: RunConfig, spec: DatasetSpec) -> Self:
        """Draw IMAGES of a run's training images, always the same, or fewer where their maps would take BYTES."""
        each = sum(row.activation_bytes for row in layers_of(config, spec))
        drawn = torch.randperm(len(train), generator=torch.Generator().manual_seed(0))
        part = train.part(drawn[: max(FEWEST, min(IMAGES, BYTES // each))])
        standardise = Standardise(*scaling(spec, config.normalise), torch.device("cpu"))
        return cls(standardise(part.images.float() / 255), part.labels)


def probe(network: nn.Module, sample: Sample, epoch: int) -> Probe:
    """Measure ``network``, which stays as it is, on ``sample``."""
    copied = deepcopy(network).eval()
    for module in copied.modules():
        if isinstance(module, BATCH_NORMS):
            module.train()
    copied.zero_grad()
    for parameter in copied.parameters():
        parameter.requires_grad_(True)
    with watched_units(copied) as units:
        logits = copied(sample.inputs)  # (N, C, H, W) → (N, classes)
    loss = F.cross_entropy(logits, sample.labels)
    loss.backward()
    return Probe(
        epoch=epoch,
        loss=loss.item(),
        accuracy=(logits.argmax(1) == sample.labels).float().mean().item(),
        input_mean=sample.inputs.mean().item(),
        input_std=sample.inputs.std().item(),
        layers=tuple(_layers(copied)),
        units=tuple(units),
    )


@contextmanager
def watched_units(network: nn.Module) -> Iterator[list[UnitProbe]]:
    """Collect a UnitProbe of each rectifier that runs inside the ``with`` block, in their order."""
    units: list[UnitProbe] = []

    def watch(name: str, output: Tensor) -> None:
        fired = output.detach().gt(0).transpose(0, 1).flatten(1).any(1)  # (N, K, …) → (K,): maps, or features
        units.append(UnitProbe(name=name, dead=1 - fired.float().mean().item()))

    handles = [
        module.register_forward_hook(lambda _, __, output, name=name: watch(name, output))
        for name, module in network.named_modules()
        if isinstance(module, RECTIFIERS)
    ]
    try:
        yield units
    finally:
        for handle in handles:
            handle.remove()


def _layers(network: nn.Module) -> Iterator[LayerProbe]:
    for name, module in network.named_modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            gradient = cast("Tensor", module.weight.grad)
            yield LayerProbe(name=name, weight=_size(module.weight.detach()), gradient=_size(gradient))


def _size(values: Tensor) -> float:
    """Return the root mean square."""
    return values.float().square().mean().sqrt().item()
