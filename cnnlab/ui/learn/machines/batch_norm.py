"""Batch norm: each channel normalised to mean 0 and variance 1, by the batch's or the running statistics."""

from __future__ import annotations

import streamlit as st
import torch
from torch import Tensor

from cnnlab.charts.grids import bracketed, number_grid, written
from cnnlab.charts.machines import running_statistics
from cnnlab.learn.layers import BatchNorm, Normalised, Running, normalise
from cnnlab.ui.shell.state import RUNNING_STATISTICS
from cnnlab.ui.widgets.number_grid import show_grid, typed_numbers

IMAGES, CHANNELS = 5, 3
_KEY = "learn.machines.norm"
_MODES = ("Training", "Evaluation")
_ROWS = [f"image {row + 1}" for row in range(IMAGES)]
_COLUMNS = [f"ch. {column}" for column in range(CHANNELS)]


def show() -> None:
    """Show a batch, the settings, the output, and the running statistics from batch to batch."""
    st.markdown(
        "Batch norm gives each channel mean 0 and variance 1. In training it measures both on the batch. It also "
        "keeps running values, for when it sees a single image."
    )
    settings, machine = st.columns([1, 2], gap="large")
    with settings:
        batch = typed_numbers(_KEY, (IMAGES, CHANNELS), _random, _COLUMNS, _ROWS)
        norm = _chosen_norm()
    seen: list[Running] = RUNNING_STATISTICS.fill([Running.fresh(CHANNELS)])
    with machine:
        _machine(batch, norm, normalise(batch, norm, seen[-1]))
        _running(batch, norm, seen)


def _machine(batch: Tensor, norm: BatchNorm, fed: Normalised) -> None:
    """Show a batch and its output, with the formula for one number."""
    mode = "train" if norm.training else "eval"
    st.code(
        f"nn.BatchNorm1d({CHANNELS}, eps={norm.eps:g}, momentum={norm.momentum:g}).{mode}()",
        language="python",
        wrap_lines=True,
    )
    number = st.slider(
        "Number to follow, row by row", 1, IMAGES * CHANNELS, 1, key=f"{_KEY}.place", persist_state="session"
    )
    place = divmod(number - 1, CHANNELS)
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Batch**")
        column = [(row, place[1]) for row in range(IMAGES)] if norm.training else []
        show_grid(
            number_grid(batch.numpy(), "", column, place, rows=_ROWS, columns=_COLUMNS), f"{_KEY}.batch", "The batch"
        )
    with right:
        st.markdown("**Output**")
        figure = number_grid(fed.outputs.numpy(), "", chosen=place, rows=_ROWS, columns=_COLUMNS)
        show_grid(figure, f"{_KEY}.outputs", "Output")
    st.markdown(_arithmetic(batch, norm, fed, place))


def _chosen_norm() -> BatchNorm:
    mode = st.segmented_control(
        "Mode", _MODES, default=_MODES[0], required=True, key=f"{_KEY}.mode", persist_state="session"
    )
    weight = st.slider("Weight γ", -2.0, 2.0, 1.0, 0.1, key=f"{_KEY}.weight", persist_state="session")
    bias = st.slider("Bias β", -2.0, 2.0, 0.0, 0.1, key=f"{_KEY}.bias", persist_state="session")
    eps = st.select_slider(
        "eps", [1e-5, 1e-3, 0.1, 1.0], key=f"{_KEY}.eps", format_func="{:g}".format, persist_state="session"
    )
    momentum = st.slider("Momentum", 0.05, 1.0, 0.1, 0.05, key=f"{_KEY}.momentum", persist_state="session")
    return BatchNorm(mode == _MODES[0], weight, bias, eps, momentum)


def _arithmetic(batch: Tensor, norm: BatchNorm, fed: Normalised, place: tuple[int, int]) -> str:
    mean, variance = fed.mean[place[1]].item(), fed.variance[place[1]].item()
    source = "of the batch" if norm.training else "the running values"
    return (
        f"Mean {written(mean)} and variance {written(variance)}, {source}: "
        f"({written(batch[place].item())} − {bracketed(mean)}) / √({written(variance)} + {norm.eps:g}) "
        f"· {bracketed(norm.weight)} + {bracketed(norm.bias)} = **{written(fed.outputs[place].item())}**"
    )


def _running(batch: Tensor, norm: BatchNorm, seen: list[Running]) -> None:
    """Show buttons that feed the batch or reset, and the running statistics so far."""
    with st.container(horizontal=True):
        st.button("Feed this batch", type="primary", key=f"{_KEY}.feed", on_click=_feed, args=[batch, norm])
        st.button("Reset", key=f"{_KEY}.reset", on_click=RUNNING_STATISTICS.drop, disabled=len(seen) == 1)
    figure = running_statistics(
        {
            "running mean": [torch.tensor(running.mean).numpy() for running in seen],
            "running variance": [torch.tensor(running.variance).numpy() for running in seen],
        },
        {"running mean": batch.mean(0).numpy(), "running variance": batch.var(0).numpy()},
    )
    show_grid(figure, f"{_KEY}.running", "Running mean and variance of each channel after each batch")
    st.caption(
        f"Dotted: this batch. In training, each batch moves the running values {norm.momentum:.0%} of the way. The "
        f"running variance divides by {IMAGES} − 1, the normalisation by {IMAGES}."
    )


def _feed(batch: Tensor, norm: BatchNorm) -> None:
    seen: list[Running] = RUNNING_STATISTICS.get()
    RUNNING_STATISTICS.put([*seen, normalise(batch, norm, seen[-1]).running])


def _random(count: int) -> Tensor:
    """Choose random numbers whose mean and spread differ by channel, to one decimal."""
    drawn = torch.randn(IMAGES, CHANNELS, generator=torch.Generator().manual_seed(count))
    return (drawn * torch.tensor([1.0, 3.0, 0.5]) + torch.tensor([4.0, 0.0, -2.0])).mul(10).round() / 10
