"""Trainings of a tiny network on a few digits, and what they come to."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn

from cnnlab.data.batches import Standardise
from cnnlab.data.loading import Data
from cnnlab.networks.architecture import Architecture
from cnnlab.networks.build import build
from cnnlab.networks.layers import (
    Layer,
    Linear,
)
from cnnlab.training.checkpoint import Checkpoint, Progress
from cnnlab.training.config import Extension, RunConfig, parse_config
from cnnlab.training.events import Event
from cnnlab.training.loop import Training, fit
from cnnlab.training.thread_tuner import ThreadTuner
from tests.samples import TINY, few_digits

UNIT = Standardise((0.0,), (1.0,))


SPEEDS = {"images_per_second", "seconds"}


def config(**fields: Any) -> RunConfig:
    return parse_config({"architecture": TINY, "epochs": 2, "batch_size": 16, "augmentation": "none", **fields})


def train(settings: RunConfig, data: Data | None = None) -> tuple[nn.Sequential, list[Event]]:
    data = data or few_digits()
    network = build(settings.architecture, data.spec.shape, 10, settings.seed)
    return network, list(fit(network, data, settings))


def metrics(settings: RunConfig) -> list[dict[str, Any]]:
    """What was measured, in order; between which ticks it is read is a matter of time, not of the seed."""
    return measured(train(settings)[1])


def measured(events: list[Event]) -> list[dict[str, Any]]:
    told = [event for event in events if event.kind != "tick"]
    return [{k: v for k, v in asdict(event).items() if k not in SPEEDS} for event in told]


def weights_of(network: nn.Module) -> Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in network.parameters()])


def ending_in_logits(*layers: Layer) -> Architecture:
    return Architecture(name="own", title="Own", layers=(*layers, Linear(out_features="classes")))


MORE = (Extension(after=3, epochs=2, learning_rate=0.005),)


def began(settings: RunConfig, extensions: tuple[Extension, ...] = (), tuner: ThreadTuner | None = None) -> Training:
    data = few_digits()
    network = build(settings.architecture, data.spec.shape, 10, settings.seed)
    return Training(network, data, settings, extensions, tuner=tuner)


def until(training: Training, epoch: int) -> list[Event]:
    """Events up to the end of ``epoch``."""
    events = []
    for event in training.events():
        events.append(event)
        if event.kind == "epoch" and event.epoch == epoch:
            break
    return events


def gone_on(half: Training, tuner: ThreadTuner | None = None) -> Training:
    """Another training that goes on where ``half`` is, from what a disk would keep."""
    kept = half.checkpoint()
    other = began(half.config, half.schedule.extensions, tuner)
    other.network.load_state_dict(half.network.state_dict())
    other.restore(Checkpoint(kept.tensors, Progress.model_validate_json(kept.progress.model_dump_json())))
    return other
