"""Flatten: the same numbers in a row."""

from __future__ import annotations

from math import prod

import numpy as np
import numpy.typing as npt
import streamlit as st
import torch
from torch import Tensor

from cnnlab.charts.grids import coloured_grid
from cnnlab.layers import shown
from cnnlab.learn.machines import flatten
from cnnlab.ui import frame
from cnnlab.ui.learn.numbers import show_grid

IMAGES = 2
_KEY = "learn.machines.flatten"
_AXES = ("image", "channel", "row", "column")


def show() -> None:
    """Feature maps with numbered cells, and where each number goes."""
    st.markdown(
        "Flatten moves no number: it reads the feature maps channel by channel, row by row. A linear layer behind it "
        "has to expect exactly that many."
    )
    shape = (IMAGES, *_chosen_sizes())
    start = st.segmented_control(
        "start_dim: the first axis to be joined",
        list(range(4)),
        default=1,
        required=True,
        format_func=lambda axis: f"{axis}, {_AXES[axis]}",
        key=f"{_KEY}.start",
        persist_state="session",
    )
    number = st.slider("Number to follow", 0, prod(shape) - 1, 0, key=f"{_KEY}.number.{shape}")
    batch, flat = flatten(shape, start)
    st.code(f"nn.Flatten({'' if start == 1 else f'start_dim={start}'})", language="python")
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(f"**Input** {shown(shape)}: an image a row, its channels in colours")
        show_grid(_maps(batch, number), f"{_KEY}.input", "The feature maps")
    with right:
        st.markdown(f"**Output** {shown(tuple(flat.shape))}")
        show_grid(_rows(batch, flat, number), f"{_KEY}.output", "The flattened numbers")
        st.caption("Read as a page: a long row goes on in the next line." if start < 2 else "")
    st.markdown(_arithmetic(batch, flat, number, start))
    st.caption("The shape without the batch is what `in_features` of the next `nn.Linear` must be. Where it is not:")
    frame.door("Learn", "Traps: the flatten size is wrong", {"chapter": "traps"})


def _chosen_sizes() -> tuple[int, int, int]:
    sizes = (("Channels", 3, 2), ("Rows", 4, 3), ("Columns", 4, 3))
    channels, rows, width = (
        column.slider(label, 1, highest, default, key=f"{_KEY}.{label}", persist_state="session")
        for column, (label, highest, default) in zip(st.columns(3), sizes, strict=True)
    )
    return channels, rows, width


def _arithmetic(batch: Tensor, flat: Tensor, number: int, start: int) -> str:
    """How the place in the last axis follows from the places in the joined ones."""
    place = [int(axis) for axis in torch.nonzero(batch == number)[0]]
    sizes = batch.shape
    terms = [f"{place[axis]}·{prod(sizes[axis + 1 :])}" for axis in range(start, 3)] + [str(place[3])]
    index = torch.nonzero(flat == number)[0][-1].item()
    where = ", ".join(f"{name} {at}" for name, at in zip(_AXES, place, strict=True))
    return f"The number at {where} goes to place {' + '.join(terms)} = **{index}** of its row."


def _maps(batch: Tensor, number: int) -> object:
    """Each image's maps side by side, the images below each other, a free row or column between."""
    parted = torch.nn.functional.pad(batch.float(), (0, 1, 0, 1), value=torch.nan)  # (N, C, H + 1, W + 1)
    sheet = parted.permute(0, 2, 1, 3).flatten(2).flatten(0, 1)[:-1, :-1].numpy()
    return _coloured(sheet, batch, number)


def _rows(batch: Tensor, flat: Tensor, number: int) -> object:
    """The last axis in lines of a map's length at the most."""
    length = min(flat.shape[-1], prod(batch.shape[2:]))
    return _coloured(flat.reshape(-1, length).float().numpy(), batch, number)


def _coloured(sheet: npt.NDArray[np.floating], batch: Tensor, number: int) -> object:
    channel = sheet // prod(batch.shape[2:]) % batch.shape[1]
    row, column = np.argwhere(sheet == number)[0]
    return coloured_grid(sheet, channel, [(int(row), int(column))])
