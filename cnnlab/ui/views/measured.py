"""What takes a while to measure and several views ask for, kept for each run and epoch."""

from __future__ import annotations

import streamlit as st
from torch import Tensor

from cnnlab.explain.activations import BATCH, LayerStatistics, statistics
from cnnlab.inference import Trained, test_split
from cnnlab.runs import Run
from cnnlab.ui.views.look import Look

STATISTICS_IMAGES = 128


def before_training(run: Run) -> dict[str, Tensor]:
    """The weights of epoch 0."""
    return _weights(run.id, 0, run)


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
