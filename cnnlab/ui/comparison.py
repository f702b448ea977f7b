"""Runs side by side: the table, the curves, the accuracy of each class."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from cnnlab import charts
from cnnlab.runs import Run
from cnnlab.ui import session
from cnnlab.ui.forms import run_label

MAX_RUNS = 10

_PERCENT = st.column_config.NumberColumn(format="percent")


def table_of_runs(runs: list[Run]) -> None:
    """Settings and results of every run, sortable."""
    columns = {
        "Started": st.column_config.DatetimeColumn(format="D MMM, HH:mm:ss"),
        "Test": _PERCENT,
        "Validation": _PERCENT,
        "Train": _PERCENT,
        "Parameters": st.column_config.NumberColumn(format="localized"),
        "Time, s": st.column_config.NumberColumn(format="%.1f"),
        "Images/s": st.column_config.NumberColumn(format="%.0f"),
    }
    st.dataframe(pd.DataFrame([_row(run) for run in runs]), hide_index=True, column_config=columns)


def pick_runs(runs: list[Run]) -> list[Run]:
    """Which runs to put side by side; at first the two newest."""
    by_id = {run.id: run for run in runs}
    chosen = st.multiselect(
        "Runs to compare",
        list(by_id),
        default=list(by_id)[:2],
        format_func=lambda run_id: run_label(by_id[run_id]),
        max_selections=MAX_RUNS,
        key=f"compare.{session.current_run_id()}",  # a new training of this session is looked at first
        persist_state="session",
    )
    return [by_id[run_id] for run_id in chosen]


def side_by_side(runs: list[Run]) -> None:
    """Overlaid validation curves, then test accuracy per class."""
    names = _distinct_names(runs)
    histories = {name: run.history() for name, run in names.items()}
    left, right = st.columns(2)
    left.plotly_chart(charts.overlaid_curves(histories, "loss"), key="losses", alt="Validation loss of the runs")
    right.plotly_chart(
        charts.overlaid_curves(histories, "accuracy"), key="accuracies", alt="Validation accuracy of the runs"
    )
    st.subheader("Accuracy of each class")
    judged = {name: run.summary.per_class for name, run in names.items() if run.summary.per_class}
    if not judged:
        st.info("None of these runs was judged on test images: a run is judged when it ends.")
        return
    frame = pd.DataFrame(judged)
    if len(judged) == 2:
        first, second = judged
        frame["Difference, points"] = (frame[second] - frame[first]) * 100
    columns = dict.fromkeys(judged, _PERCENT) | {"Difference, points": st.column_config.NumberColumn(format="%+.1f")}
    st.dataframe(frame.rename_axis("Class"), column_config=columns)
    st.plotly_chart(charts.per_class_points(judged, "test accuracy"), key="classes", alt="Test accuracy of each class")
    st.caption("Test accuracy of the images of each class. Classes that only some runs know are empty in the others.")


def _distinct_names(runs: list[Run]) -> dict[str, Run]:
    """Short names: the network and data set, with the time where several share them."""
    names: dict[str, Run] = {}
    for run in runs:
        config = run.config
        short = f"{config.architecture.title}, {config.dataset}"
        alike = [other for other in runs if other.config.architecture == config.architecture]
        names[short if len(alike) == 1 else f"{short}, {run.summary.created.astimezone():%d %b %H:%M:%S}"] = run
    return names


def _row(run: Run) -> dict[str, object]:
    config, summary = run.config, run.summary
    return {
        "Started": summary.created.astimezone(),
        "Data set": config.dataset,
        "Network": config.architecture.title,
        "State": summary.status,
        "Test": summary.test_accuracy,
        "Validation": summary.validation_accuracy,
        "Train": summary.train_accuracy,
        "Parameters": summary.parameters,
        "Time, s": summary.seconds,
        "Images/s": summary.images_per_second,
        "Epochs": config.epochs,
        "Batch": config.batch_size,
        "Optimiser": config.optimizer,
        "Learning rate": config.learning_rate,
        "Schedule": config.schedule,
        "Augmentation": config.augmentation,
        "Seed": config.seed,
        "Device": summary.device,
        "Run": run.id,
    }
