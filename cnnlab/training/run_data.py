"""The data and the network of a RunConfig, and a check that its batches suit them."""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path

from torch import nn

from cnnlab.data.handwriting import with_labelled_drawings
from cnnlab.data.loading import Data, load
from cnnlab.data.spec import DatasetSpec
from cnnlab.networks.architecture import LayerSummary, norm_over_images, summarise
from cnnlab.networks.build import build
from cnnlab.pretrained.weights import published, take_weights
from cnnlab.training.config import ConfigError, RunConfig


def load_for(config: RunConfig, folder: Path | None = None) -> Data:
    """Load the splits of a run's config, with its labelled drawings among the training images. Raises as ``load``."""
    parts = config.validation_fraction, config.held_out_by, folder, config.train_fraction, config.left_out
    data = load(config.dataset, *parts)
    return with_labelled_drawings(data, config.lessons, config.lesson_share) if config.lessons else data


def network_for(config: RunConfig, spec: DatasetSpec) -> nn.Sequential:
    """Build the network of a run with its first weights, published ones included.

    Raises ArchitectureError where it does not fit the images, PretrainedError where the weights to start from are not
    here, ConfigError where these are a run's, which only that run's folder has.
    """
    network = build(config.architecture, spec.shape, len(spec.classes), config.seed)
    if config.start and not config.backbone:
        raise ConfigError("start: this is for new networks and published weights, not for those of a run")
    if config.backbone:
        take_weights(network, published(config.backbone))
    return network


def layers_of(config: RunConfig, spec: DatasetSpec) -> list[LayerSummary]:
    """Summarise the layers of a run's network. Raises ArchitectureError where one does not fit the images."""
    return summarise(config.architecture, spec.shape, len(spec.classes))


def frozen_layers(config: RunConfig, spec: DatasetSpec) -> list[LayerSummary]:
    """Summarise the layers that do not learn; none where all do."""
    rows = layers_of(config, spec)
    return list(takewhile(lambda row: row.name != config.learn_from, rows)) if config.learn_from else []


def check_batches(config: RunConfig, spec: DatasetSpec, images: int | None = None) -> bool:
    """Tell whether a last batch of one image must join the batch before it, as batch norm needs at least two numbers.

    The same holds for the parts of a batch. Raises ConfigError where each of them, or each batch of the ``images`` to
    train on (unknown before they are read), holds one image.
    """
    norm = norm_over_images(config.architecture, spec.shape, len(spec.classes))
    if norm and config.images_at_once == 1:
        field, part = ("batch_size", "a batch") if config.batch_size == 1 else ("micro_batch", "a part of it")
        raise ConfigError(f"{field}: {norm} compares the images of a batch, so {part} needs two: choose 2 or more")
    if norm and images == 1:
        raise ConfigError(f"train_fraction: {norm} compares the images of a batch, and there is only one: raise it")
    return bool(norm)
