"""What takes a while to measure and several views ask for, kept for each run and epoch."""

from __future__ import annotations

import streamlit as st
from torch import Tensor

from cnnlab.data import load_for
from cnnlab.explain.activations import BATCH, LayerStatistics, statistics
from cnnlab.inference import Trained, test_split
from cnnlab.metrics import Answers
from cnnlab.runs import Run
from cnnlab.ui.views.look import Look

STATISTICS_IMAGES = 128


def weights_after(run: Run, epoch: int) -> dict[str, Tensor]:
    """The state dict after ``epoch``; 0 is before training."""
    return _weights(run.id, epoch, run)


def layer_statistics(look: Look) -> list[LayerStatistics]:
    """How busy each layer is over the first test images."""
    return _statistics(look.at, look.run, look.trained)


@st.cache_data(max_entries=64, show_spinner=False)
def _weights(run_id: str, epoch: int, _run: Run) -> dict[str, Tensor]:
    return _run.weights(epoch)


@st.cache_data(max_entries=256, show_spinner=False)
def _statistics(at: str, _run: Run, _trained: Trained) -> list[LayerStatistics]:
    images = test_split(_run).images[:STATISTICS_IMAGES]
    return statistics(_trained.network, map(_trained.inputs, images.split(BATCH)))


def answers(run: Run, trained: Trained) -> Answers:
    """What the network says to every test image."""
    return _answers(f"{run.id}.{trained.epoch}", run, trained)


def validation_answers(look: Look) -> Answers:
    """What it says to the validation images, which steered it but taught it nothing."""
    return _validation_answers(look.at, look.run, look.trained)


@st.cache_data(max_entries=64, show_spinner="Asking it about every test image")
def _answers(at: str, _run: Run, _trained: Trained) -> Answers:
    return _trained.answers(test_split(_run))


@st.cache_data(max_entries=64, show_spinner=False)
def _validation_answers(at: str, _run: Run, _trained: Trained) -> Answers:
    return _trained.answers(load_for(_run.config).validation)
