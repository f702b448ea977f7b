"""Slow measurements that several views share, cached for each run and epoch."""

from __future__ import annotations

import copy
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import streamlit as st
import torch
from torch import Tensor

from cnnlab.analysis.activations import LayerStatistics, affordable, features_in_batches, statistics
from cnnlab.analysis.nearest import FeatureIndex
from cnnlab.analysis.ood import TrainingFeatures
from cnnlab.data.loading import Data
from cnnlab.data.splits import Split, evenly, sampled
from cnnlab.evaluation.metrics import Answers
from cnnlab.jobs.worker import Part, Worker
from cnnlab.runs.ancestry import data_of
from cnnlab.runs.run import Run
from cnnlab.runs.trained import Trained, test_split
from cnnlab.ui.shell.networks import KEPT, trained_network
from cnnlab.ui.views.view import Look
from cnnlab.ui.widgets.awaited import awaited, begun

STATISTICS_IMAGES = 128
REFERENCE_IMAGES = 10_000  # training images to compare with, at most
REFERENCE_NUMBERS = 32_000_000  # of their features, at most: 128 MB
USUAL_IMAGES = 500  # validation images from which typical distances are computed


@dataclass(frozen=True)
class Reference:
    """Training images to compare with, and typical distances of unseen images to them."""

    split: Split
    numbers: Tensor  # (N,) indices of these images among the run's ``trained_on``
    trained_on: int
    neighbours: FeatureIndex
    usual: Tensor  # (M,) distance of each validation image to its nearest


def weights_after(run: Run, epoch: int) -> dict[str, Tensor]:
    """Load the state dict after ``epoch``; 0 is before training."""
    return _weights(run.id, epoch, run)


def layer_statistics(look: Look) -> list[LayerStatistics]:
    """Compute each layer's activation statistics over some test images; none while the page waits for them."""
    part = awaited("Measuring each layer", _statistics, look.at, look.run, look.trained)
    return (part.result or []) if part else []


def training_features(run: Run, epoch: int) -> TrainingFeatures:
    """Return what the run's training images look like to its network after ``epoch``; computed once."""
    return _training_features(str(run.folder), epoch, run)


@st.cache_data(max_entries=64, show_spinner=False)
def _weights(run_id: str, epoch: int, _run: Run) -> dict[str, Tensor]:
    return _run.weights(epoch)


@st.cache_resource(max_entries=256, show_spinner=False, on_release=Worker.cancel)
def _statistics(at: str, _run: Run, _trained: Trained) -> Worker[Part[list[LayerStatistics]]]:
    network = copy.deepcopy(_trained.network)  # of its own: the page goes on with the other
    return begun(statistics(network, sampled(test_split(_run), STATISTICS_IMAGES), _trained.inputs))


def reference(run: Run, trained: Trained) -> Reference | None:
    """Compute the network's features of training images; None while the page waits for them.

    Raises DatasetError where these images are not available.
    """
    part = awaited(
        "Running the training images through the network", _reference, f"{run.id}.{trained.epoch}", run, trained
    )
    return part.result if part else None


def features_of(images: Sequence[Split], trained: Trained) -> Generator[Part[Tensor]]:
    """Compute the inputs of the last linear layer for the images of all splits together."""
    batches: list[Tensor] = []
    count, total = 0, sum(map(len, images))
    for split in images:
        for features in features_in_batches(trained.network, split, trained.inputs):
            batches.append(features)
            count += len(features)
            yield Part(count / total)
    yield Part(1.0, torch.cat(batches))


def answers(run: Run, trained: Trained) -> Answers:
    """Predict all test images; recorded as a use of the test set, once for each epoch."""
    return _answers(f"{run.id}.{trained.epoch}", run, trained)


def validation_answers(look: Look) -> Answers:
    """Predict the validation images, which influenced training choices but not the weights directly."""
    return _validation_answers(look.at, look.run, look.trained)


@st.cache_data(max_entries=64, show_spinner="Running the network on every test image")
def _answers(at: str, _run: Run, _trained: Trained) -> Answers:
    _run.count_look(_trained.epoch)
    return _trained.answers(test_split(_run))


@st.cache_data(max_entries=64, show_spinner=False)
def _validation_answers(at: str, _run: Run, _trained: Trained) -> Answers:
    return _trained.answers(data_of(_run).validation)


@st.cache_resource(max_entries=4, show_spinner=False, on_release=Worker.cancel)
def _reference(at: str, _run: Run, _trained: Trained) -> Worker[Part[Reference]]:
    return begun(_known(data_of(_run), _trained))


def _known(data: Data, trained: Trained) -> Generator[Part[Reference]]:
    numbers = evenly(len(data.train), affordable(trained.network, REFERENCE_IMAGES, REFERENCE_NUMBERS))
    split = data.train.part(numbers)
    held_out = data.validation.part(evenly(len(data.validation), USUAL_IMAGES))
    for part in features_of([split, held_out], trained):
        if part.result is None:
            yield Part(part.done)
            continue
        features, unseen = part.result.split([len(split), len(held_out)])
        neighbours = FeatureIndex(features, split.labels)
        distances, _ = neighbours.query(unseen, 1)
        yield Part(1.0, Reference(split, numbers, len(data.train), neighbours, distances[:, 0]))


@st.cache_resource(max_entries=KEPT, show_spinner="Running the network on its training images")
def _training_features(folder: str, epoch: int, _run: Run) -> TrainingFeatures:
    return TrainingFeatures.of(trained_network(_run, epoch), data_of(_run), _run.config)
