"""Dropout: in training mode each number is zeroed with some probability."""

from __future__ import annotations

import streamlit as st
from torch import Tensor

from cnnlab.charts.grids import number_grid, written
from cnnlab.learn.layers import DRAWS, drop, mean_of_many_draws
from cnnlab.ui.shell.state import DROPOUT_DRAW
from cnnlab.ui.widgets.number_grid import show_grid, typed_numbers

ROWS, COLUMNS = 4, 4
_KEY = "learn.machines.dropout"
_MODES = ("Training", "Evaluation")


def show() -> None:
    """Show the numbers, the probability, two random masks side by side, and the mean."""
    st.markdown(
        "In training, dropout sets each number to 0 with probability p. It scales up the others, so the mean stays. "
        "In evaluation it does nothing."
    )
    settings, machine = st.columns([1, 2], gap="large")
    with settings:
        numbers = typed_numbers(_KEY, (ROWS, COLUMNS))
        mode = st.segmented_control(
            "Mode", _MODES, default=_MODES[0], required=True, key=f"{_KEY}.mode", persist_state="session"
        )
        p = st.slider("p, probability of being dropped", 0.0, 0.9, 0.5, 0.05, key=f"{_KEY}.p", persist_state="session")
        st.button(
            "New random draw", key=f"{_KEY}.again", type="primary", icon=":material/casino:", on_click=_draw_again
        )
    with machine:
        _machine(numbers, p, training=mode == _MODES[0])


def _machine(numbers: Tensor, p: float, training: bool) -> None:
    """Show two passes of the same numbers, and the mean over many."""
    st.code(f"nn.Dropout({p:g}).{'train' if training else 'eval'}()", language="python")
    draw = 2 * DROPOUT_DRAW.get()
    fed = {
        "Input": numbers,
        "Fed once": drop(numbers, p, draw, training),
        "Fed again": drop(numbers, p, draw + 1, training),
    }
    limit = numbers.abs().max().item() / (1 - p)
    for column, (title, values) in zip(st.columns(3), fed.items(), strict=True):
        with column:
            st.markdown(f"**{title}**, mean {written(values.mean().item())}")
            show_grid(number_grid(values.numpy(), "", limit=limit), f"{_KEY}.{title}", title)
    if not training:
        st.markdown("In evaluation every number passes unchanged, both times.")
        return
    st.markdown(
        f"The remaining numbers are multiplied by 1 / (1 − {p:g}) = **{1 / (1 - p):.3g}**. Over {DRAWS:,} draws the "
        f"mean is **{written(mean_of_many_draws(numbers, p))}**; that of the input is "
        f"{written(numbers.mean().item())}."
    )


def _draw_again() -> None:
    DROPOUT_DRAW.put(DROPOUT_DRAW.get() + 1)
