"""A few numbers on a chapter's page: typed or filled in, and shown as a grid."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
import torch
from torch import Tensor

from cnnlab.learn.layers import piece_of_a_digit

Filling = Callable[[int], Tensor]  # number of the filling → numbers (rows, columns)

_FILLINGS = {"Random numbers": ":material/casino:", "A piece of a digit": ":material/draw:"}


def typed_numbers(
    key: str,
    shape: tuple[int, int],
    random: Filling | None = None,
    columns: Sequence[str] = (),
    rows: Sequence[str] = (),
) -> Tensor:
    """Show a table of numbers (rows, columns) to type, or to fill with a button: random ones, or a digit's.

    The numbers typed survive a change of page.
    """
    fillings: Mapping[str, Filling] = {
        "Random numbers": random or (lambda count: _whole_numbers(shape, count)),
        "A piece of a digit": lambda count: piece_of_a_digit(*shape, count),
    }
    if f"{key}.numbers" not in st.session_state:
        _fill(key, fillings["Random numbers"])
    with st.container(horizontal=True):
        for label, icon in _FILLINGS.items():
            st.button(label, key=f"{key}.{label}", icon=icon, on_click=_fill, args=[key, fillings[label]])
    with st.expander("Type the numbers", icon=":material/keyboard:"):
        typed = _editor(key, shape, columns, rows)
    return torch.tensor(typed.fillna(0.0).to_numpy(np.float32))


def _editor(key: str, shape: tuple[int, int], columns: Sequence[str], rows: Sequence[str]) -> pd.DataFrame:
    """Show the table; when shown again it starts with its last values."""
    editor, last = f"{key}.editor.{st.session_state[f'{key}.count']}", f"{key}.last"
    if editor not in st.session_state and last in st.session_state:
        st.session_state[f"{key}.numbers"] = st.session_state[last]
    table = pd.DataFrame(
        st.session_state[f"{key}.numbers"],
        columns=list(columns) or [str(column) for column in range(shape[1])],
        index=list(rows) or None,
    )
    edited = st.data_editor(
        table,
        key=editor,
        hide_index=not rows,
        column_config={
            name: st.column_config.NumberColumn(min_value=-99, max_value=99, required=True) for name in table.columns
        },
        alt="The numbers to feed",
    )
    st.session_state[last] = edited.to_numpy()
    return edited


def _fill(key: str, filling: Filling) -> None:
    count = st.session_state.get(f"{key}.count", 0)
    st.session_state[f"{key}.numbers"] = filling(count).numpy()
    st.session_state[f"{key}.count"] = count + 1
    st.session_state.pop(f"{key}.last", None)


def _whole_numbers(shape: tuple[int, int], count: int) -> Tensor:
    """Choose random numbers between −9 and 9."""
    return torch.randint(-9, 10, shape, generator=torch.Generator().manual_seed(count)).float()


def show_grid(figure: go.Figure, key: str, alt: str) -> None:
    """Show a figure of a few cells without zoom, so that touch scrolls the page."""
    figure.update_layout(dragmode=False)
    st.plotly_chart(figure, key=key, alt=alt, config={"displayModeBar": False})
