"""Advice on what to change where a training cannot continue."""

from __future__ import annotations

from math import log

import torch

from cnnlab.data.batches import Standardise, scaling, split_joining_single
from cnnlab.data.loading import Data
from cnnlab.errors import CnnLabError
from cnnlab.evaluation.evaluate import evaluate
from cnnlab.networks.build import first_not_finite, seed_dropout
from cnnlab.training.config import RunConfig
from cnnlab.training.device import Accelerator
from cnnlab.training.run_data import network_for

HOPELESS = 100.0  # times the loss of random guessing: a training does not recover from a whole epoch of that
FIRST_BATCHES = 20  # through a new network, so that its batch norms have the images' statistics
LOWER = "lower the learning rate, or branch off an earlier epoch with a lower one"
LESS_SPREAD = (
    "lower the standard deviation of the initial weights up to there, or add norms with a larger momentum between "
    "the layers"
)


class TrainingError(CnnLabError):
    """A training that cannot continue; the message says what to change."""


def remedy(config: RunConfig, data: Data, accelerator: Accelerator) -> str:
    """Return advice where the loss of a training is not finite, or far too high.

    The advice is a lower learning rate, unless the network fails with its first weights already.
    """
    if config.parent or config.start:  # these weights trained well before
        return LOWER
    spec = data.spec
    network = network_for(config, spec).to(accelerator.device)
    seed_dropout(network, config.seed, accelerator.device)
    standardise = Standardise(*scaling(spec, config.normalise), accelerator.device)
    first = "already with its first weights"
    for batch in split_joining_single(torch.arange(len(data.train)), config.images_at_once)[:FIRST_BATCHES]:
        images = data.train.take(batch)
        with torch.inference_mode(), accelerator.autocast():
            layer = first_not_finite(network, standardise(images.to(accelerator.device).float() / 255))
        if layer:
            return f"{first} {layer} gives numbers that are not finite, so no learning rate helps: {LESS_SPREAD}"
    loss = evaluate(network, data.validation.to(accelerator.device), standardise).loss
    if not loss <= HOPELESS * log(len(spec.classes)):
        return f"{first} its validation loss is {loss:.3g}, so no lower learning rate helps: {LESS_SPREAD}"
    return LOWER
