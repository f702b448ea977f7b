"""Optimisers, and their state for each weight as a checkpoint holds it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop

from cnnlab.training.checkpoint import under
from cnnlab.training.config import RunConfig
from cnnlab.training.device import FUSED


def make_optimizer(
    network: nn.Module, config: RunConfig, device: torch.device, started: Sequence[str] = ()
) -> Optimizer:
    """Make the config's optimiser, fused where ``device`` has such a kernel.

    Layers of the names ``started`` have a group of their own, whose ``share`` of the learning rate is ``start_rate``.
    """
    parameters, rate, decay = _groups(network, config, started), config.learning_rate, config.weight_decay
    fused = device.type in FUSED
    match config.optimizer:
        case "sgd":
            return SGD(parameters, rate, config.momentum, weight_decay=decay, nesterov=config.nesterov, fused=fused)
        case "adam":
            return Adam(parameters, rate, weight_decay=decay, fused=fused)
        case "adamw":
            return AdamW(parameters, rate, weight_decay=decay, fused=fused)
        case "rmsprop":  # torch has no fused one
            return RMSprop(parameters, rate, weight_decay=decay, momentum=config.momentum)


def _groups(network: nn.Module, config: RunConfig, started: Sequence[str]) -> list[dict[str, Any]]:
    """Group the parameters by their share of the learning rate, in the network's order."""
    old: list[nn.Parameter] = []
    new: list[nn.Parameter] = []
    for name, parameter in network.named_parameters():
        (old if name.partition(".")[0] in started else new).append(parameter)
    groups = ((old, config.start_rate), (new, 1.0))
    return [{"params": parameters, "share": share} for parameters, share in groups if parameters]


def moments(optimizer: Optimizer) -> dict[str, Tensor]:
    """Return the state of ``optimizer`` for each parameter, by ``optimizer.<parameter's number>.<name>``."""
    return {
        f"optimizer.{number}.{name}": tensor
        for number, values in optimizer.state_dict()["state"].items()
        for name, tensor in values.items()
        if tensor is not None
    }


def restore_moments(optimizer: Optimizer, tensors: dict[str, Tensor], layout: torch.memory_format) -> None:
    """Give ``optimizer`` the state that ``moments`` returned, in the memory layout that fused ones require.

    Raises ValueError or KeyError where the state is of another network or optimiser.
    """
    state = {}
    names = _names(optimizer)
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for number, parameter in enumerate(parameters):
        kept = under(f"optimizer.{number}", tensors)
        if kept and kept.keys() != names:
            raise ValueError("it is of another optimiser")
        check_shapes({name: tensor for name, tensor in kept.items() if name != "step"}, dict.fromkeys(kept, parameter))
        state[number] = {
            name: tensor.contiguous(memory_format=layout) if tensor.dim() == 4 else tensor
            for name, tensor in kept.items()
        }
    optimizer.load_state_dict(optimizer.state_dict() | {"state": state})


def _names(optimizer: Optimizer) -> set[str]:
    """Return the names of the state of a parameter after the first step of ``optimizer``."""
    momentum = {"momentum_buffer"} if optimizer.defaults.get("momentum") else set()
    match optimizer:
        case SGD():
            return momentum
        case RMSprop():
            return {"step", "square_avg"} | momentum
        case _:
            return {"step", "exp_avg", "exp_avg_sq"}


def check_shapes(tensors: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    """Raise ValueError where shapes or types differ: fused optimisers do not check them, and files are untrusted."""
    for name, tensor in tensors.items():
        if tensor.shape != expected[name].shape or tensor.dtype != expected[name].dtype:
            raise ValueError(f"its {name} has another shape or type")
