"""Curves: the chosen runs' learning curves in one chart; repeats with other seeds as one line with its spread."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from cnnlab import charts
from cnnlab.runs.comparison import AXES, colours, curve, repeats
from cnnlab.runs.entry import Entry
from cnnlab.training.history import History
from cnnlab.ui.compare.selection import Chosen
from cnnlab.ui.shell.frame import literal
from cnnlab.ui.widgets.better_epoch import better_epoch
from cnnlab.ui.widgets.curves import legend, log_loss
from cnnlab.ui.widgets.figure import download_table
from cnnlab.ui.widgets.live_chart import live_chart


def show(chosen: Chosen) -> None:
    """Show loss and accuracy on the validation images."""
    axis, joined, log = _choices()
    groups = {name: repeats(entry, chosen.everything) if joined else [entry] for name, entry in chosen.named.items()}
    if joined:
        groups = _each_group_once(groups)
    histories = {name: [_history(entry) for entry in group] for name, group in groups.items()}
    shades = colours({name: group[0] for name, group in groups.items()})
    legend(shades)
    for place, metric in zip(st.columns(2), ("loss", "accuracy"), strict=True):
        curves = {name: curve(group, f"validation_{metric}", axis) for name, group in histories.items()}
        curves = {name: rows for name, rows in curves.items() if len(rows)}
        with place:
            figure = charts.overlaid_curves(curves, metric, AXES[axis], shades, log)
            alt = f"Validation {metric} of the runs against {AXES[axis]}"
            live_chart(figure, f"compared-{metric}", f"{axis}.{log}", alt)
            download_table(partial(_long, curves), f"compared-{metric}")
    for name, entry in chosen.named.items():
        better_epoch(entry.run, entry.summary, _history(entry), name)
    without = [name for name, group in histories.items() if not any(history.epochs for history in group)]
    if without:
        st.caption(f"No line yet, because no epoch has finished: {literal(', '.join(without))}.")
    if joined and any((rows["training"] < rows["runs"]).any() for rows in curves.values()):
        st.caption(
            "Some repeats stopped early. After that, the mean uses their last value. Hover over a line to see how "
            "many were still training."
        )
    if joined and axis == "seconds":
        st.caption("A line of several runs uses their mean time for each epoch.")
    if joined and all(len(group) == 1 for group in groups.values()):
        st.caption(
            "None of these runs has a repeat. Train the same settings with another seed to see the effect of chance."
        )


def _choices() -> tuple[str, bool, bool]:
    """Choose the axis, whether repeats are joined, and whether the loss is logarithmic."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="large"):
        axis = st.segmented_control(
            "Horizontal axis", list(AXES), default="epoch", required=True, key="compare.axis", persist_state="session"
        )
        joined = st.toggle(
            "Average repeats",
            key="compare.joined",
            persist_state="session",
            help="Joins all finished runs that differ only in the seed. The line is their mean, the band one standard "
            "deviation.",
        )
        log = log_loss()
    return str(axis), joined, log


def _each_group_once(groups: dict[str, list[Entry]]) -> dict[str, list[Entry]]:
    """Merge chosen runs that repeat each other into one line, named after the first."""
    once = {tuple(entry.id for entry in group): name for name, group in reversed(groups.items())}
    return {
        f"{name} ({len(group)} seeds)" if len(group) > 1 else name: group
        for name, group in groups.items()
        if once[tuple(entry.id for entry in group)] == name
    }


def _history(entry: Entry) -> History:
    path = entry.run.folder / "history.jsonl"
    return _read(entry.id, path.stat().st_mtime_ns if path.exists() else 0, entry)


@st.cache_resource(max_entries=256, show_spinner=False)  # not copied, which is slow: nobody changes it
def _read(run_id: str, changed: int, _entry: Entry) -> History:
    return _entry.run.history()


def _long(curves: dict[str, pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(curves, names=["run", "epoch"]).reset_index() if curves else pd.DataFrame()
