"""Slow measurements that several views share, cached for each run and epoch."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st
import torch
from torch import Tensor

from cnnlab.analysis.activations import LayerStatistics, affordable, in_batches, penultimate, statistics
from cnnlab.analysis.nearest import FeatureIndex
from cnnlab.data.splits import Split, sampled
from cnnlab.evaluation.metrics import Answers
from cnnlab.runs.ancestry import data_of
from cnnlab.runs.run import Run
from cnnlab.runs.trained import Trained, test_split
from cnnlab.ui.views.view import Look

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
    """Compute each layer's activation statistics over some test images."""
    return _statistics(look.at, look.run, look.trained)


@st.cache_data(max_entries=64, show_spinner=False)
def _weights(run_id: str, epoch: int, _run: Run) -> dict[str, Tensor]:
    return _run.weights(epoch)


@st.cache_data(max_entries=256, show_spinner=False)
def _statistics(at: str, _run: Run, _trained: Trained) -> list[LayerStatistics]:
    images = sampled(test_split(_run), STATISTICS_IMAGES)
    return statistics(_trained.network, in_batches(_trained.network, images, _trained.inputs))


def reference(run: Run, trained: Trained) -> Reference:
    """Compute the network's features of training images. Raises DatasetError where these are not available."""
    return _reference(f"{run.id}.{trained.epoch}", run, trained)


def answers(run: Run, trained: Trained) -> Answers:
    """Predict all test images; recorded as a use of the test set, once for each epoch."""
    return _answers(f"{run.id}.{trained.epoch}", run, trained)


def validation_answers(look: Look) -> Answers:
    """Predict the validation images, which influenced training choices but not the weights directly."""
    return _validation_answers(look.at, look.run, look.trained)


@st.cache_data(max_entries=64, show_spinner="Asking it about every test image")
def _answers(at: str, _run: Run, _trained: Trained) -> Answers:
    _run.count_look(_trained.epoch)
    return _trained.answers(test_split(_run))


@st.cache_data(max_entries=64, show_spinner=False)
def _validation_answers(at: str, _run: Run, _trained: Trained) -> Answers:
    return _trained.answers(data_of(_run).validation)


@st.cache_resource(max_entries=4, show_spinner="Showing it the training images")
def _reference(at: str, _run: Run, _trained: Trained) -> Reference:
    data = data_of(_run)
    numbers = _evenly(len(data.train), affordable(_trained.network, REFERENCE_IMAGES, REFERENCE_NUMBERS))
    split = data.train.part(numbers)
    neighbours = FeatureIndex(_features(_trained, split), split.labels)
    held_out = data.validation.part(_evenly(len(data.validation), USUAL_IMAGES))
    distances, _ = neighbours.query(_features(_trained, held_out), 1)
    return Reference(split, numbers, len(data.train), neighbours, distances[:, 0])


def _features(trained: Trained, images: Split) -> Tensor:
    return penultimate(trained.network, images, trained.inputs)


def _evenly(length: int, count: int) -> Tensor:
    """Choose ``count`` evenly spaced indices below ``length``, or all where there are no more."""
    return torch.arange(min(count, length)) * length // min(count, length)
