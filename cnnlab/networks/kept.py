"""What a network keeps of an image between the forward and the backward pass."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from cnnlab.networks.architecture import Architecture
from cnnlab.networks.build import build, parted
from cnnlab.networks.layers import Shape

_IMAGES = 2  # batch norm compares them


@lru_cache(maxsize=128)
def kept_bytes(architecture: Architecture, shape: Shape, classes: int, learn_from: str = "") -> int:
    """Count the bytes in 32 bits that layers keep of an image for their gradients, from the layer ``learn_from`` on.

    PyTorch is asked what it saves while a network without numbers, on its device "meta", looks at images without any.
    Raises ArchitectureError where a layer does not fit.
    """
    with torch.device("meta"):
        network = build(architecture, shape, classes).train()
    frozen, learning = parted(network, learn_from)
    weights = {_memory(weight) for weight in learning.parameters()}
    saved: dict[int, torch.UntypedStorage] = {}  # held, so that no two have the same address

    def note(tensor: Tensor) -> Tensor:
        if _memory(tensor) not in weights:
            saved[_memory(tensor)] = tensor.untyped_storage()
        return tensor

    with torch.no_grad():
        inputs = frozen(torch.empty(_IMAGES, *shape, device="meta"))
    with saved_tensors_hooks(note, lambda tensor: tensor):
        learning(inputs)
    return sum(storage.nbytes() for storage in saved.values()) // _IMAGES


def _memory(tensor: Tensor) -> int:
    """Identify the memory that tensors share."""
    return int(tensor.untyped_storage()._cdata)
