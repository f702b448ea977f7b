"""The trials of a sweep that are being trained, and how long the rest takes."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
import streamlit as st

from cnnlab.jobs.search import RunningTrial, Step
from cnnlab.jobs.sweep import Sweep
from cnnlab.quantities import estimate
from cnnlab.training.config import field_title
from cnnlab.training.titles import value_title

_COLUMNS = {
    "Progress": st.column_config.ProgressColumn(format="%.0f%%", min_value=0.0, max_value=100.0),
    "Validation": st.column_config.NumberColumn(format="percent"),
    "Curve": st.column_config.LineChartColumn("Validation by epoch", y_min=0.0, y_max=1.0),
}


def running_trials(sweep: Sweep, step: Step | None) -> None:
    """Show what is being trained: one trial as a bar, several as a table with their curves."""
    if step is None or not step.running:
        st.caption("Preparing")
    elif step.slots == 1 and len(step.running) == 1:
        _one(step.running[0])
    else:
        rows = [_row(one, sweep.config.space) for one in step.running]
        st.dataframe(pd.DataFrame(rows), hide_index=True, column_config=_COLUMNS, placeholder="–")


def time_left(sweep: Sweep, step: Step | None) -> str:
    """Say how long the trials that are left take on that many slots; empty before the first has ended."""
    if not sweep.ended or step is None:
        return ""
    done = sum(one.job.progress for one in step.running)
    left = max(0.0, sweep.config.trials - sweep.ended - done) * sweep.seconds / sweep.ended
    at_once = max(1, min(step.slots, sweep.config.trials - sweep.ended))
    return f", {estimate(left / at_once)} left"


def setting(value: object) -> str:
    """Format the value of a setting."""
    return f"{value:.3g}" if isinstance(value, float) else value_title(str(value))


def _one(one: RunningTrial) -> None:
    epochs = one.job.history.epochs
    accuracy = f", validation {epochs[-1]['validation_accuracy']:.1%}" if epochs else ""
    of = one.job.config.epochs
    text = f"Trial {one.number}: epoch {min(len(epochs) + 1, of)} of {of}{accuracy}"
    st.progress(one.job.progress, text=text)


def _row(one: RunningTrial, searched: Iterable[str]) -> dict[str, object]:
    accuracies = [epoch["validation_accuracy"] for epoch in one.job.history.epochs]
    settings = one.trial.params
    state = "stopping early" if one.is_pruned else "waiting" if one.job.place else "running"
    return {
        "Trial": one.number,
        "Validation": accuracies[-1] if accuracies else None,
        "Curve": accuracies,
        "Progress": 100 * one.job.progress,
        "State": state,
        **{field_title(name): setting(settings.get(name)) for name in searched},
    }
