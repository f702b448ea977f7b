"""Pooling: one number for each window."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from torch import Tensor

from cnnlab.charts.grids import bracketed, number_grid, written
from cnnlab.learn.guesses import Outcome
from cnnlab.learn.pooling import Pool, Window, border, pooled, to_guess, window
from cnnlab.networks.layers import AdaptivePool2d, AvgPool2d, LayerError, MaxPool2d
from cnnlab.ui.shell import frame
from cnnlab.ui.widgets.guess_first import guess_first, is_awaited
from cnnlab.ui.widgets.number_grid import show_grid, typed_numbers

SIDE = 6
_KEY = "learn.machines.pooling"
_KINDS = ("Largest", "Average", "Average, adaptive")


def show() -> None:
    """Show the grid, the pool's arguments, and its output."""
    st.markdown(
        "A pooling layer slides a window over a feature map and outputs one number, the largest or the mean. It has "
        "nothing to learn."
    )
    settings, machine = st.columns([1, 2], gap="large")
    with settings:
        grid = typed_numbers(_KEY, (SIDE, SIDE))
        pool = _chosen_pool()
    with machine:
        _machine(pool, grid)


def _machine(pool: Pool, grid: Tensor) -> None:
    """Show input and output, with one window marked."""
    shape = (1, SIDE, SIDE)
    grids = st.container()
    st.code(f"nn.{pool.call(shape, 1)}", language="python")
    try:
        outputs = pooled(pool, grid)
    except LayerError as error:
        st.warning(frame.literal(f"{error}."), title="PyTorch rejects this")
        return
    place = _chosen_place((outputs.shape[0], outputs.shape[1]))
    looked = window(pool, (SIDE, SIDE), place)
    left, right = grids.columns([3, 2], gap="medium")
    ask = to_guess(pool)
    with left:
        st.markdown("**Input**, the window outlined")
        show_grid(
            _input(pool, grid, looked, is_awaited(ask)), f"{_KEY}.input", "The input numbers, the window outlined"
        )
    with right:
        st.markdown(f"**Output**, {outputs.shape[0]}×{outputs.shape[1]}")
        if not guess_first(_KEY, ask, lambda: Outcome({"": outputs[place].item()}), waits=False):
            return
        figure = number_grid(outputs.numpy(), "", chosen=place, limit=grid.abs().max().item())
        show_grid(figure, f"{_KEY}.output", "The output numbers")
        st.markdown(_arithmetic(looked, grid, outputs[place].item()))
        st.caption(f"Size: {pool.shape_formula(shape, 1)}")


def _chosen_pool() -> Pool:
    """Choose a pool and its arguments."""
    kind = st.segmented_control(
        "Output", _KINDS, default=_KINDS[0], required=True, key=f"{_KEY}.kind", persist_state="session"
    )
    if kind == _KINDS[2]:
        return AdaptivePool2d(output_size=_count("Output size", 1, SIDE, 1))
    sliding: dict[str, Any] = {
        "kernel_size": _count("Kernel, px", 1, 4, 2),
        "stride": _count("Stride, px", 1, 4, 2),
        "padding": _count("Padding, px", 0, 2, 0),
    }
    if kind == _KINDS[0]:
        dilation = _count("Dilation, px", 1, 3, 1)
        return MaxPool2d(**sliding, dilation=dilation, ceil_mode=_switch("Round sizes up (ceil_mode)", False))
    counts = _switch("Count the padding (count_include_pad)", True)
    return AvgPool2d(**sliding, count_include_pad=counts, ceil_mode=_switch("Round sizes up (ceil_mode)", False))


def _count(label: str, lowest: int, highest: int, default: int) -> int:
    return int(st.slider(label, lowest, highest, default, key=f"{_KEY}.{label}", persist_state="session"))


def _switch(label: str, default: bool) -> bool:
    return st.toggle(label, default, key=f"{_KEY}.{label}", persist_state="session")


def _chosen_place(size: tuple[int, int]) -> tuple[int, int]:
    """Choose an output position; a slider steps through them row by row."""
    count = size[0] * size[1]
    if count == 1:
        return 0, 0
    number = st.slider("Window, row by row", 1, count, 1, key=f"{_KEY}.place.{size}", persist_state="session")
    return divmod(number - 1, size[1])


def _input(pool: Pool, grid: Tensor, looked: Window, hides_largest: bool) -> go.Figure:
    """Chart the input with its padding, in a pale colour; mark the largest number unless that is to be guessed."""
    rows, columns = border(pool)
    padded = np.pad(grid.numpy(), ((rows, rows), (columns, columns)), constant_values=np.nan)
    moved = {
        name: [(row + rows, column + columns) for row, column in cells]
        for name, cells in {"all": looked.cells, "largest": [looked.largest(grid)]}.items()
    }
    feeding = [cell for cell in moved["all"] if cell[0] < len(padded) and cell[1] < len(padded[0])]
    chosen = moved["largest"][0] if looked.takes_largest and not hides_largest else None
    return number_grid(padded, "", feeding, chosen, empty="−∞" if looked.takes_largest else "0")


def _arithmetic(looked: Window, grid: Tensor, output: float) -> str:
    """Write how the output follows from the window's numbers."""
    numbers = [grid[cell].item() for cell in looked.inside]
    if looked.takes_largest:
        return f"The largest of {', '.join(map(written, numbers))} is **{written(output)}**."
    zeros = looked.divisor - len(numbers)
    more = f" + {zeros} zeros of padding" if zeros else ""
    return f"({' + '.join(map(bracketed, numbers))}{more}) / {looked.divisor} = **{written(output)}**"
