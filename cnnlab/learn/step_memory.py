"""Memory of a training step: bytes of the tensors that torch stores, layer by layer."""

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

from cnnlab.data.spec import DatasetSpec
from cnnlab.networks.build import seed_dropout
from cnnlab.training.config import RunConfig
from cnnlab.training.device import Accelerator
from cnnlab.training.optimizer import make_optimizer
from cnnlab.training.run_data import network_for

LOSS = "loss"  # row after the last layer
KINDS = ("weights", "gradients", "moments", "activations", "images")
_COUNTED = (2, 4)  # images of the two batches; batch norm needs two at least


@dataclass(frozen=True)
class LayerBytes:
    """Bytes of a layer in a training step."""

    name: str
    weights: int = 0  # parameters, and batch norm's running statistics
    gradients: int = 0
    moments: int = 0  # of the optimiser
    each: int = 0  # per image: activations stored for the backward pass
    fixed: int = 0  # activations that do not depend on the batch size

    def activations(self, batch_size: int) -> int:
        """Compute the bytes stored from the forward to the backward pass."""
        return self.fixed + batch_size * self.each


@dataclass(frozen=True)
class StepBytes:
    """Bytes of a training step at the start of its backward pass, its peak."""

    layers: tuple[LayerBytes, ...]  # in order, the loss last
    image: int  # one input image

    def rows(self, batch_size: int) -> list[dict[str, int | str]]:
        """Make a row for the images and for each layer: its name, and bytes by KINDS."""
        images: dict[str, int | str] = {"layer": "images", **dict.fromkeys(KINDS, 0), "images": batch_size * self.image}
        return [images, *(self._row(layer, batch_size) for layer in self.layers)]

    def totals(self, batch_size: int) -> dict[str, int]:
        """Sum the bytes by KINDS."""
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
    """Count a step with two and one with four images on the CPU, and split the bytes into fixed and per image.

    Tests check that this is exact for any batch size.
    Raises ArchitectureError where a layer does not fit the images.
    """
    # One torch thread: steps this small gain nothing from two, which would compete with trainings for cores.
    with ThreadPoolExecutor(1, initializer=torch.set_num_threads, initargs=(1,)) as thread:
        few, more = thread.map(partial(_Step, config, spec), _COUNTED)
    names = [name for name, _ in few.network.named_children()]
    return StepBytes(
        tuple(_layer(name, few, more) for name in (*names, LOSS)),
        image=few.inputs[0].numel() * few.inputs.element_size(),
    )


def data_set_bytes(spec: DatasetSpec) -> int:
    """Count the bytes of all images, one per pixel and channel: they stay in memory during training."""
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
    """Sum the bytes of the tensors among ``values``."""
    return sum(value.numel() * value.element_size() for value in values if isinstance(value, Tensor))


class _Step:
    """A step of a new network on random images, after which gradients and moments can be counted."""

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
    """Tensors that autograd stores, by the layer that stored them first; tensors that share memory count once."""

    def __init__(self, known: Iterable[Tensor]) -> None:
        self.kept: Counter[str] = Counter()
        self._at = LOSS
        # Referenced, so that no other tensor gets the same address meanwhile.
        self._seen = {tensor.untyped_storage().data_ptr(): tensor for tensor in known}

    def loss(self, network: nn.Module, x: Tensor, labels: Tensor) -> Tensor:
        """Run the forward pass, noting the layer being run."""
        for self._at, layer in network.named_children():
            x = layer(x)
        self._at = LOSS
        return F.cross_entropy(x, labels)

    def note(self, tensor: Tensor) -> Tensor:
        """Count ``tensor`` and return it unchanged; for ``saved_tensors_hooks``."""
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in self._seen:
            self._seen[storage.data_ptr()] = tensor
            self.kept[self._at] += storage.nbytes()
        return tensor
