"""Weights over time: histograms of each layer's weights and gradients, and how far the weights move."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import ceil

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st
import torch
from torch import Tensor

from cnnlab import charts
from cnnlab.analysis.weights import gradients_by_layer, relative_change, weights_by_layer
from cnnlab.jobs.worker import Part, Worker
from cnnlab.runs.run import Run
from cnnlab.training.run_data import load_for
from cnnlab.ui.shell.networks import trained_network
from cnnlab.ui.views.view import Look
from cnnlab.ui.widgets.awaited import awaited, begun
from cnnlab.ui.widgets.figure import show_figure

LINES = 12  # layers in one chart
COLUMNS = 16  # epochs side by side
BINS = 41
MAGNITUDES = -9, 1  # powers of ten between which gradients are shown
IMAGES = 64  # training images for the gradients


def show(look: Look) -> None:
    """Show histograms of a layer's weights and gradients over epochs; the change of all layers."""
    epochs = _sampled(look.epochs, look.trained.epoch)
    is_whole = len(epochs) == epochs[-1] - epochs[0] + 1
    how_many = "One histogram an epoch" if is_whole else f"Histograms of {len(epochs)} epochs"
    weights = [_weights(f"{look.run.id}.{epoch}", look.run, epoch) for epoch in epochs]
    layers = list(weights[0])
    layer = st.selectbox("Layer", layers, key=f"inside.weighted.{look.run.id}", persist_state="session")
    left, right = st.columns(2)
    with left:
        values = [found[layer] for found in weights]
        limit = max(float(tensor.abs().max()) for tensor in values) or 1.0
        _histograms(
            look,
            values,
            np.linspace(-limit, limit, BINS + 1),
            epochs,
            f"weights of {layer}",
            f"{how_many}. Blue: many weights. Good training spreads the weights slowly. If they jump within one "
            "epoch, the learning rate is too high.",
        )
    with right:
        _gradient_sizes(look, layer, epochs)
    if len(epochs) > 1:
        _changes(look, weights, epochs, layer)


def _gradient_sizes(look: Look, layer: str, epochs: list[int]) -> None:
    gradients = _gradients(look.run, epochs)
    if not gradients:
        return
    _histograms(
        look,
        [found[layer].abs() for found in gradients],
        np.logspace(*MAGNITUDES, BINS + 1),
        epochs,
        f"gradient sizes of {layer}",
        f"Size of the loss gradient for these weights, on the same {IMAGES} training images. It shrinks as the "
        "network learns. If it is tiny from the start (vanishing), the layer hardly learns.",
    )


def _changes(look: Look, weights: list[dict[str, Tensor]], epochs: list[int], chosen: str) -> None:
    changes = [relative_change(before, after) for before, after in pairwise(weights)]
    lines = {name: [change[name] for change in changes] for name in weights[0]}
    drawn = {name: lines[name] for name in _spread(list(lines), chosen)}
    some = f"{len(drawn)} of {len(lines)} layers are shown, including the selected one; the CSV has all. "
    show_figure(
        charts.lines(drawn, epochs[1:], ("epoch", "change since the previous point"), look.trained.epoch),
        f"change-{look.run.id}",
        "Change of each layer's weights by epoch",
        lambda: pd.DataFrame({"epoch": epochs[1:], **lines}),
        "How far each layer's weights moved between shown epochs, as a share of their Euclidean norm. "
        f"{some if len(drawn) < len(lines) else ''}Steps get smaller as the learning rate falls.",
    )


def _spread(layers: list[str], chosen: str) -> list[str]:
    """Choose ``LINES`` layers from the first to the last, and the chosen one; all where they are few."""
    stride = max(1, ceil((len(layers) - 1) / (LINES - 1)))
    return [name for number, name in enumerate(layers) if number % stride == 0 or name in (chosen, layers[-1])]


def _histograms(
    look: Look,
    values: list[Tensor],
    edges: npt.NDArray[np.float64],
    epochs: list[int],
    quantity: str,
    caption: str,
) -> None:
    is_log = bool(edges[0] > 0)
    shares = np.stack([_shares(tensor, edges) for tensor in values])  # (epochs, bins)
    show_figure(
        charts.spread(shares, list(edges), epochs, quantity, look.trained.epoch, is_log),
        f"{quantity.replace(' ', '-')}-{look.run.id}",
        f"Histogram of the {quantity} by epoch",
        lambda: pd.DataFrame(
            {
                "epoch": np.repeat(epochs, BINS),
                "from": np.tile(edges[:-1], len(epochs)),
                "to": np.tile(edges[1:], len(epochs)),
                "share": shares.ravel(),
            }
        ),
        caption,
    )


def _shares(values: Tensor, edges: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.histogram(values.numpy(), edges)[0] / values.numel()


def _sampled(epochs: Sequence[int], now: int) -> list[int]:
    """Choose every k-th epoch, the last and ``now``; k grows in steps, so that a live run's columns mostly stay."""
    stride = 1
    while len(epochs) > COLUMNS * stride:
        stride *= 2
    return sorted({*epochs[::stride], epochs[-1], now})


@st.cache_data(max_entries=256, show_spinner=False)
def _weights(at: str, _run: Run, epoch: int) -> dict[str, Tensor]:
    return weights_by_layer(trained_network(_run, epoch).network)


def _gradients(run: Run, epochs: list[int]) -> list[dict[str, Tensor]]:
    """Compute the gradients of each epoch; none while the page waits for one."""
    found = []
    for epoch in epochs:
        part = awaited(f"Gradients of epoch {epoch}", _gradient_work, run.id, epoch, run)
        if part is None or part.result is None:
            return []
        found.append(part.result)
    return found


@st.cache_resource(max_entries=256, show_spinner=False, on_release=Worker.cancel)
def _gradient_work(run_id: str, epoch: int, _run: Run) -> Worker[Part[dict[str, Tensor]]]:
    trained = trained_network(_run, epoch)
    images, labels = _some_training_images(_run.id, _run)
    return begun(gradients_by_layer(trained.network, trained.inputs(images), labels))


@st.cache_data(max_entries=8, show_spinner=False)
def _some_training_images(run_id: str, _run: Run) -> tuple[Tensor, Tensor]:
    train = load_for(_run.config).train
    chosen = torch.randperm(len(train), generator=torch.Generator().manual_seed(0))[:IMAGES]
    return train.take(chosen), train.labels[chosen]
