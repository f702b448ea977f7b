"""Dropout: while training, each number is lost by chance."""

from __future__ import annotations

import numpy as np
import streamlit as st

from cnnlab.charts.grids import number_grid, written
from cnnlab.learn.machines import DRAWS, drop, mean_of_many_draws
from cnnlab.ui.learn.numbers import show_grid, typed_numbers

ROWS, COLUMNS = 4, 6
_KEY = "learn.machines.dropout"
_MODES = ("Training", "Evaluation")


def show() -> None:
    """The numbers, the chance, two draws side by side, and the mean."""
    st.markdown(
        "While training, dropout sets each number to 0 with probability p and makes the others larger, so that the "
        "mean stays. When the network answers it does nothing."
    )
    numbers = typed_numbers(_KEY, (ROWS, COLUMNS))
    mode = st.segmented_control(
        "Mode", _MODES, default=_MODES[0], required=True, key=f"{_KEY}.mode", persist_state="session"
    )
    training = mode == _MODES[0]
    p = st.slider("p, probability of being dropped", 0.0, 0.9, 0.5, 0.05, key=f"{_KEY}.p", persist_state="session")
    st.code(f"nn.Dropout({p:g}).{'train' if training else 'eval'}()", language="python")
    draw = st.session_state.setdefault(f"{_KEY}.draw", 0)
    limit = numbers.abs().max().item() / (1 - p)
    fed = [drop(numbers, p, seed=2 * draw + time, training=training) for time in (0, 1)]
    titles = ("**Input**", "**Fed once**", "**Fed again**")
    for column, title, values in zip(st.columns(3, gap="medium"), titles, (numbers, *fed), strict=True):
        with column:
            st.markdown(title)
            show_grid(number_grid(values.numpy(), "", limit=limit), f"{_KEY}.{title}", title.strip("*"))
            st.caption(f"mean {written(values.mean().item())}")
    st.button("Draw again", key=f"{_KEY}.again", type="primary", icon=":material/casino:", on_click=_draw_again)
    if not training:
        st.markdown("In evaluation every number passes as it is, both times.")
        return
    kept = int(np.count_nonzero(fed[0].numpy()))
    st.markdown(
        f"What stays is multiplied by 1 / (1 − {p:g}) = **{1 / (1 - p):.3g}**. Other than 0 after the first feeding: "
        f"{kept} of {numbers.numel()}. Over {DRAWS:,} draws the mean is **{written(mean_of_many_draws(numbers, p))}**, "
        f"that of the input {written(numbers.mean().item())}."
    )


def _draw_again() -> None:
    st.session_state[f"{_KEY}.draw"] += 1
