"""Flatten: the same numbers along one axis."""

from __future__ import annotations

from math import prod

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
import streamlit as st
import torch
from torch import Tensor

from cnnlab.charts.grids import coloured_grid
from cnnlab.learn.layers import flatten
from cnnlab.networks.layers import shown
from cnnlab.ui.shell import frame
from cnnlab.ui.widgets.number_grid import show_grid

IMAGES = 2
_KEY = "learn.machines.flatten"
_AXES = ("image", "channel", "row", "column")


def show() -> None:
    """Show feature maps with numbered cells, and the new position of each number."""
    st.markdown(
        "Flatten changes no number. It reads the feature maps channel by channel, row by row. The linear layer after "
        "it must expect exactly that many inputs."
    )
    settings, machine = st.columns([1, 2], gap="large")
    with settings:
        shape = (IMAGES, *_chosen_sizes())
        start = st.segmented_control(
            f"start_dim, the first axis to join: {', '.join(f'{place} {name}' for place, name in enumerate(_AXES))}",
            list(range(4)),
            default=1,
            required=True,
            format_func=str,
            key=f"{_KEY}.start",
            persist_state="session",
        )
    with machine:
        _machine(shape, start)


def _machine(shape: tuple[int, int, int, int], start: int) -> None:
    """Show input and output, with one number marked."""
    batch, flat = flatten(shape, start)
    st.code(f"nn.Flatten({'' if start == 1 else f'start_dim={start}'})", language="python")
    number = st.slider("Number to follow", 0, prod(shape) - 1, 0, key=f"{_KEY}.number.{shape}")
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(f"**Input**, {shown(shape)}")
        show_grid(_maps(batch, number), f"{_KEY}.input", "The feature maps")
        st.caption("An image a row, its channels side by side.")
    with right:
        st.markdown(f"**Output**, {shown(tuple(flat.shape))}")
        show_grid(_rows(batch, flat, number), f"{_KEY}.output", "The flattened numbers")
        if start < 2:
            st.caption("Read it like a page: a long row continues on the next line.")
    st.markdown(_arithmetic(batch, flat, number, start))
    st.caption("Its length without the batch is `in_features` of the next `nn.Linear`. If they differ:")
    frame.door("Learn", "Pitfalls: the flatten size is wrong", {"chapter": "traps", "trap": "flatten"})


def _chosen_sizes() -> tuple[int, int, int]:
    sizes = (("Channels", 3, 2), ("Rows", 4, 3), ("Columns", 4, 3))
    channels, rows, width = (
        st.slider(label, 1, highest, default, key=f"{_KEY}.{label}", persist_state="session")
        for label, highest, default in sizes
    )
    return channels, rows, width


def _arithmetic(batch: Tensor, flat: Tensor, number: int, start: int) -> str:
    """Write how the index in the last axis follows from those in the joined axes."""
    place = [int(axis) for axis in torch.nonzero(batch == number)[0]]
    sizes = batch.shape
    terms = [f"{place[axis]}·{prod(sizes[axis + 1 :])}" for axis in range(start, 3)] + [str(place[3])]
    index = torch.nonzero(flat == number)[0][-1].item()
    where = ", ".join(f"{name} {at}" for name, at in zip(_AXES, place, strict=True))
    return f"The number at {where} goes to position {' + '.join(terms)} = **{index}** of its row."


def _maps(batch: Tensor, number: int) -> go.Figure:
    """Chart each image's maps side by side and the images below each other, separated by an empty row or column."""
    parted = torch.nn.functional.pad(batch.float(), (0, 1, 0, 1), value=torch.nan)  # (N, C, H + 1, W + 1)
    sheet = parted.permute(0, 2, 1, 3).flatten(2).flatten(0, 1)[:-1, :-1].numpy()
    return _coloured(sheet, batch, number)


def _rows(batch: Tensor, flat: Tensor, number: int) -> go.Figure:
    """Chart the last axis in lines at most as long as a map."""
    length = min(flat.shape[-1], prod(batch.shape[2:]))
    return _coloured(flat.reshape(-1, length).float().numpy(), batch, number)


def _coloured(sheet: npt.NDArray[np.floating], batch: Tensor, number: int) -> go.Figure:
    channel = sheet // prod(batch.shape[2:]) % batch.shape[1]
    row, column = np.argwhere(sheet == number)[0]
    return coloured_grid(sheet, channel, (int(row), int(column)))
