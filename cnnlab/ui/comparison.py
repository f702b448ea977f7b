"""Runs side by side: the table, the curves, the accuracy of each class."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from cnnlab import charts
from cnnlab.inference import load_trained, test_split
from cnnlab.metrics import Answers
from cnnlab.runs import Run
from cnnlab.significance import LEVEL, by_class, mcnemar
from cnnlab.ui import session
from cnnlab.ui.forms import run_label
from cnnlab.ui.pictures import upright
from cnnlab.ui.views.measured import answers

MAX_RUNS = 10
SHOWN = 12  # images on which two runs differ

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


def is_it_better(first: Run, second: Run) -> None:
    """Whether two runs differ by more than chance, overall and class by class, and the images on which they do."""
    st.subheader("Is one better?")
    if first.config.dataset != second.config.dataset:
        st.info("These two were judged on different data sets: there are no common test images to compare them on.")
        return
    one, other = (answers(run, load_trained(run)) for run in (first, second))
    found = mcnemar(one.hits, other.hits)
    apart = found.only_first + found.only_second
    verdict = "More than chance" if found.is_evidence else "No evidence of a difference"
    st.markdown(
        f"**{verdict}**: of {len(one.labels):,} common test images {found.only_first:,} are named right by the first "
        f"run only and {found.only_second:,} by the second only. If both were equally good, a split of these {apart:,} "
        f"at least as uneven would come up with probability {found.p:.3g}."
    )
    columns = {
        "First": _PERCENT,
        "Second": _PERCENT,
        "Difference, points": st.column_config.NumberColumn(format="%+.1f"),
        "p": st.column_config.NumberColumn("p (Holm)", format="%.3g"),
    }
    st.dataframe(by_class(one, other), hide_index=True, column_config=columns)
    st.caption(
        "McNemar's exact test on the images that only one of the two names right; p of the classes is corrected for "
        f"their number (Holm). Below {LEVEL} a difference counts as more than chance. It speaks of these two trained "
        "networks; whether a setting is better takes several seeds of each."
    )
    for column, chosen, title in zip(
        st.columns(2),
        (one.hits & ~other.hits, other.hits & ~one.hits),
        ("Only the first is right", "Only the second is right"),
        strict=True,
    ):
        with column:
            st.markdown(f"**{title}**")
            _differing(first, one, other, chosen.nonzero()[0][:SHOWN].tolist(), title)


def _differing(run: Run, one: Answers, other: Answers, indices: list[int], title: str) -> None:
    if not indices:
        st.caption("No image.")
        return
    images = test_split(run).images
    named = [f"{one.classes[one.named[index]][:9]} | {one.classes[other.named[index]][:9]}" for index in indices]
    st.plotly_chart(
        charts.tile_strip([upright(images[index]) for index in indices], named, columns=6),
        key=f"differing.{title}",
        alt=f"{title}: test images with both answers",
    )


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
