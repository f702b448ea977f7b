"""The choice of a filter: a named one, nine weights of the user's own, or one that a run has learned."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st
import torch
from streamlit.delta_generator import DeltaGenerator
from torch import Tensor

from cnnlab.analysis.weights import conv_layers, filters
from cnnlab.learn.filters import FILTERS
from cnnlab.runs.run import Run
from cnnlab.ui.shell.networks import trained_network
from cnnlab.ui.shell.state import FILTER, filter_weight
from cnnlab.ui.widgets.bounds import is_within, whole_number
from cnnlab.ui.widgets.run_picker import pick_run

_OWN, _LEARNED = "own", "learned"
_TITLES = {name: chosen.title for name, chosen in FILTERS.items()} | {_OWN: "Your own", _LEARNED: "Learned"}
_FIRST = "vertical"
_LARGEST = 100  # size of a weight


@dataclass(frozen=True)
class Chosen:
    """A filter and its name."""

    title: str
    kernel: Tensor  # (height, width), or (C, height, width) where learned


def pick_filter(choice: DeltaGenerator) -> Chosen | None:
    """Choose a filter in ``choice``; show its weights here, or what to do next and return None where there is none."""
    FILTER.fill(_FIRST)
    name = choice.pills(
        "Filter",
        list(_TITLES),
        format_func=_TITLES.__getitem__,
        required=True,
        wrap=True,
        key=FILTER.name,
        persist_state="session",
        on_change=_fill,
    )
    if name == _LEARNED:
        return _learned()
    kernel = _grid()
    st.caption(FILTERS[name].about if name in FILTERS else "Nine weights: type any numbers.")
    return None if kernel is None else Chosen(_TITLES[name or _OWN], kernel)


def _grid() -> Tensor | None:
    """Show nine fields; return their values (3, 3), None where one is too large."""
    rows = []
    for row in range(3):
        with st.container(horizontal=True, gap="small"):
            rows.append([_weight(row, column) for column in range(3)])
    weights = torch.tensor(rows)
    return weights if is_within(weights.abs().max().item(), {"maximum": _LARGEST}) else None


def _weight(row: int, column: int) -> float:
    filter_weight(row, column).fill(FILTERS[_FIRST].rows[row][column])
    weight = st.number_input(
        f"Weight, row {row + 1}, column {column + 1}",
        value=None,  # so that an empty field differs from one with the lowest number
        step=1.0,
        format="%.3g",
        key=filter_weight(row, column).name,
        persist_state="session",
        label_visibility="collapsed",
        width=112,
        on_change=_make_own,
        args=(row, column),
    )
    return weight or 0.0


def _fill() -> None:
    """Fill the fields with the weights of the chosen filter; the user's own starts with the current ones."""
    chosen = FILTERS.get(FILTER.get())
    if chosen:
        for row, weights in enumerate(chosen.rows):
            for column, weight in enumerate(weights):
                filter_weight(row, column).put(weight)


def _make_own(row: int, column: int) -> None:
    """Switch to the user's own filter once a field is edited; an empty field is a weight of zero."""
    FILTER.put(_OWN)
    if filter_weight(row, column).get() is None:
        filter_weight(row, column).put(0.0)


def _learned() -> Chosen | None:
    """Choose a filter from the first convolution of a run. Raises RunError where the run is damaged."""
    run = pick_run("learn.convolution.run")
    if run is None:
        return None
    weights = _first_filters(run.id, run.judged_epoch, run)
    if weights is None:
        st.info("This run's network has no convolution: choose another run.", icon=":material/filter_alt:")
        return None
    number = whole_number(
        f"Filter, 1 to {len(weights)}",
        1,
        len(weights),
        value=1,
        key=f"learn.convolution.learned.{run.id}",
        persist_state="session",
    )
    if number is None:
        return None
    height, width = weights.shape[2:]
    st.caption(f"{height}×{width} trained weights, applied to pixels in 0…1 without the run's bias and scaling.")
    return Chosen(f"Learned filter {number}", weights[number - 1])


@st.cache_data(max_entries=32, show_spinner=False)
def _first_filters(run_id: str, epoch: int, _run: Run) -> Tensor | None:
    """Load the weights (out_channels, C, height, width); None where the network has no convolution."""
    network = trained_network(_run, epoch).network
    names = list(conv_layers(network))
    return filters(network, names[0]).clone() if names else None
