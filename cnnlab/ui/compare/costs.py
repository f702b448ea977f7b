"""Cost: accuracy against parameters, multiply-accumulates or time, and the Pareto-optimal runs."""

from __future__ import annotations

import streamlit as st

from cnnlab import charts
from cnnlab.runs.comparison import apart, pareto_front
from cnnlab.ui.compare.resources import resources
from cnnlab.ui.compare.selection import Chosen
from cnnlab.ui.widgets.figure import show_figure

_COSTS = {"Parameters": "Parameters", "MACs": "MACs for one image", "Time, s": "training time, s"}


def show(chosen: Chosen) -> None:
    """Show a point per listed run, and what the chosen ones took of the machine."""
    _accuracy_and_cost(chosen)
    resources(chosen)


def _accuracy_and_cost(chosen: Chosen) -> None:
    """Show a point per listed run, on one data set: accuracies on different ones are not comparable."""
    rows = chosen.listed
    datasets = sorted(rows["Data set"].unique()) if len(rows) else []
    left, middle, right = st.columns(3, vertical_alignment="bottom")
    dataset = left.selectbox("Data set", datasets, key=f"compare.cost.data.{'.'.join(datasets)}")
    cost = middle.segmented_control(
        "Cost", list(_COSTS), default="Parameters", required=True, key="compare.cost", persist_state="session"
    )
    split = right.segmented_control(
        "Accuracy", ["Test", "Validation"], default="Test", required=True, key="compare.split", persist_state="session"
    )
    known = rows[rows["Data set"] == dataset].assign(Accuracy=rows[split]).dropna(subset=[cost, "Accuracy"])
    if known.empty:
        st.info("None of the listed runs has been tested yet: a run is tested when it ends.")
        return
    known = known.rename(columns={cost: _COSTS[cost]})
    cost = _COSTS[cost]
    front = list(pareto_front(known[cost], known["Accuracy"]))
    shown = known[["Name", "Run", cost, "Accuracy"]]
    marked = [entry.id for entry in chosen.named.values() if entry.id in shown.index]
    seen = shown.loc[list(dict.fromkeys([*front, *marked, *apart(shown[cost], shown["Accuracy"])]))]
    show_figure(
        charts.cost_and_accuracy(seen, cost, front, marked),
        "cost",
        f"{split} accuracy of the listed runs against {cost}",
        lambda: shown.assign(front=shown.index.isin(front)),
        f"{len(known):,} runs, {len(front)} of them on the Pareto front: no other run is both cheaper and better. "
        "Other work on the machine lengthens the measured times.",
    )
