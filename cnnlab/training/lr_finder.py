"""The learning-rate finder: a short training along rising rates (Smith 2015, arXiv:1506.01186)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import isfinite

import torch

from cnnlab.data.loading import Data
from cnnlab.training.config import ConfigError, RunConfig
from cnnlab.training.events import StepMetrics
from cnnlab.training.loop import fit
from cnnlab.training.memory import check_memory
from cnnlab.training.remedy import TrainingError
from cnnlab.training.run_data import network_for

LOWEST, HIGHEST = 1e-5, 10.0  # learning rates
STEPS = 400
HOPELESS = 3.0  # times the lowest loss so far: above it the loss only diverges
NEAR = 0.1  # share of the fall from the first loss to the lowest
BACK_FROM_EDGE = 10.0


def ramp(data: Data, config: RunConfig) -> Iterator[StepMetrics]:
    """Train a new network of ``config`` at rates that rise from LOWEST to HIGHEST by a constant factor.

    Yields some 50 points, each the mean of the loss over 8 steps; the ramp ends early where the loss explodes. Raises
    ConfigError and ArchitectureError as a training does, TrainingError where no rate is low enough.
    """
    if config.parent:
        raise ConfigError("parent: rates are tried on a new network, so leave it out")
    check_memory(config, data.spec)
    network = network_for(config, data.spec)
    images = min(len(data.train), STEPS * config.batch_size)
    chosen = torch.randperm(len(data.train), generator=torch.Generator().manual_seed(config.seed))[:images]
    short = replace(data, train=data.train.part(chosen), validation=data.validation.part(slice(1)))
    epochs = -(-STEPS // max(1, images // config.batch_size))  # a last batch may have joined the one before it
    longer = config.model_copy(update={"epochs": epochs, "early_stopping": 0})
    lowest = float("inf")
    try:
        for event in fit(network, short, longer, rates=lambda step: HIGHEST * (LOWEST / HIGHEST) ** (1 - step / STEPS)):
            if event.kind != "step":
                continue
            yield event
            lowest = min(lowest, event.loss)
            if event.step >= STEPS or event.loss > HOPELESS * lowest:
                return
    except TrainingError:  # the loss is no longer finite: the ramp is complete if it has any points
        if not isfinite(lowest):
            raise


def suggest(points: Sequence[StepMetrics]) -> float:
    """Return a tenth of the largest rate at which the loss is still near its lowest: the limit of stable training.

    Raises ValueError where there are no points.
    """
    lowest = min(point.loss for point in points)
    near = lowest + NEAR * (points[0].loss - lowest)
    return max(point.learning_rate for point in points if point.loss <= near) / BACK_FROM_EDGE
