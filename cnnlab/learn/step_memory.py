"""Where the bytes of a training step go: counted on the tensors that torch keeps, layer by layer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from math import prod

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from cnnlab.data.datasets import DatasetSpec
from cnnlab.networks.build import seed_dropout
from cnnlab.training.config import RunConfig
from cnnlab.training.device import Accelerator
from cnnlab.training.optimizer import make_optimizer
from cnnlab.training.run_data import network_for

LOSS = "loss"  # what stands behind the last layer
KINDS = ("weights", "gradients", "moments", "activations", "images")
_COUNTED = (2, 4)  # images of the two batches; batch norm takes no fewer than two


@dataclass(frozen=True)
class LayerBytes:
    """Bytes of a layer while a batch is trained on."""

    name: str
    weights: int = 0  # what it learns, and batch norm's running figures
    gradients: int = 0
    moments: int = 0  # the optimiser's
    each: int = 0  # activations kept for the way back, for each image
    fixed: int = 0  # and whatever the batch

    def activations(self, batch_size: int) -> int:
        """Kept from the way forward to the way back."""
        return self.fixed + batch_size * self.each


@dataclass(frozen=True)
class StepBytes:
    """Bytes of a training step when its way back begins: the most that it has at once."""

    layers: tuple[LayerBytes, ...]  # in their order, the loss behind them
    image: int  # one, as the first layer gets it

    def rows(self, batch_size: int) -> list[dict[str, int | str]]:
        """A row for the images and for each layer: its name, and bytes by KINDS."""
        images: dict[str, int | str] = {"layer": "images", **dict.fromkeys(KINDS, 0), "images": batch_size * self.image}
        return [images, *(self._row(layer, batch_size) for layer in self.layers)]

    def totals(self, batch_size: int) -> dict[str, int]:
        """Bytes by KINDS."""
        rows = self.rows(batch_size)
        return {kind: sum(int(row[kind]) for row in rows) for kind in KINDS}

    def _row(self, layer: LayerBytes, batch_size: int) -> dict[str, int | str]:
        return {
            "layer": layer.name,
            "weights": layer.weights,
            "gradients": layer.gradients,
            "moments": layer.moments,
            "activations": layer.activations(batch_size),
            "images": 0,
        }


def count_bytes(config: RunConfig, spec: DatasetSpec) -> StepBytes:
    """One step each with two and with four images, on the CPU; what grows with the batch grows by the image.

    That it does so exactly, whatever the batch, is tested.
    Raises ArchitectureError where a layer does not fit the images.
    """
    # One torch thread: steps so small gain nothing from two, which beside trainings wait for each other's cores.
    with ThreadPoolExecutor(1, initializer=torch.set_num_threads, initargs=(1,)) as thread:
        few, more = thread.map(partial(_Step, config, spec), _COUNTED)
    names = [name for name, _ in few.network.named_children()]
    return StepBytes(
        tuple(_layer(name, few, more) for name in (*names, LOSS)),
        image=few.inputs[0].numel() * few.inputs.element_size(),
    )


def data_set_bytes(spec: DatasetSpec) -> int:
    """All images, a byte for each pixel and channel: they stay in memory while a network trains."""
    return prod(spec.shape) * sum(spec.sizes)


def _layer(name: str, few: _Step, more: _Step) -> LayerBytes:
    each = (more.kept[name] - few.kept[name]) // (_COUNTED[1] - _COUNTED[0])
    fixed = few.kept[name] - _COUNTED[0] * each
    if name == LOSS:
        return LayerBytes(name, each=each, fixed=fixed)
    module = few.network.get_submodule(name)
    parameters = list(module.parameters())
    moments = [value for parameter in parameters for value in few.optimizer.state[parameter].values()]
    return LayerBytes(
        name,
        weights=_size([*parameters, *module.buffers()]),
        gradients=_size(parameter.grad for parameter in parameters),
        moments=_size(moments),
        each=each,
        fixed=fixed,
    )


def _size(values: Iterable[object]) -> int:
    """Bytes of those that are tensors."""
    return sum(value.numel() * value.element_size() for value in values if isinstance(value, Tensor))


class _Step:
    """A step of a fresh network with random images: afterwards gradients and moments are there to be counted."""

    def __init__(self, config: RunConfig, spec: DatasetSpec, images: int) -> None:
        accelerator = Accelerator.of(config.model_copy(update={"device": "cpu"}))
        self.network = accelerator.place(network_for(config, spec))
        seed_dropout(self.network, 0, accelerator.device)
        draws = torch.Generator().manual_seed(0)
        self.inputs = torch.randn(images, *spec.shape, generator=draws).contiguous(memory_format=accelerator.layout)
        labels = torch.randint(0, len(spec.classes), (images,), generator=draws)
        self.optimizer = make_optimizer(self.network, config, accelerator.device)
        keeping = _Keeping([self.inputs, *self.network.parameters(), *self.network.buffers()])
        with accelerator.autocast(), saved_tensors_hooks(keeping.note, lambda x: x):
            loss = keeping.loss(self.network.train(), self.inputs, labels)
        loss.backward()
        self.optimizer.step()
        self.kept = keeping.kept


class _Keeping:
    """What autograd keeps, by the layer that was the first to ask for it. Tensors that share memory count once."""

    def __init__(self, known: Iterable[Tensor]) -> None:
        self.kept: Counter[str] = Counter()
        self._at = LOSS
        # Held, so that no other tensor gets the same address meanwhile.
        self._seen = {tensor.untyped_storage().data_ptr(): tensor for tensor in known}

    def loss(self, network: nn.Module, x: Tensor, labels: Tensor) -> Tensor:
        """Forward, noting which layer is at work."""
        for self._at, layer in network.named_children():
            x = layer(x)
        self._at = LOSS
        return F.cross_entropy(x, labels)

    def note(self, tensor: Tensor) -> Tensor:
        """For ``saved_tensors_hooks``: count ``tensor`` and keep it as it is."""
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in self._seen:
            self._seen[storage.data_ptr()] = tensor
            self.kept[self._at] += storage.nbytes()
        return tensor
