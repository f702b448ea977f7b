"""Each class: accuracy, confidence, and the class it is most often mistaken for."""

from __future__ import annotations

from typing import Any

import streamlit as st

from cnnlab import charts
from cnnlab.evaluation import metrics
from cnnlab.evaluation.balance import balanced_accuracy, is_imbalanced, macro_f1
from cnnlab.quantities import percent
from cnnlab.runs.summary import how_tested
from cnnlab.ui.views.cached import answers
from cnnlab.ui.views.view import Look
from cnnlab.ui.widgets.balanced_metrics import balanced_metrics
from cnnlab.ui.widgets.figure import show_figure

_PERCENT = st.column_config.NumberColumn(format="percent")


def show(look: Look) -> None:
    """Show overall accuracy with its interval, the chart of classes and its table."""
    found = answers(look.run, look.trained)
    table = metrics.per_class(found)
    hits, images = int(found.hits.sum()), len(found.labels)
    low, high = bounds = metrics.interval(hits, images)
    with st.container(horizontal=True):
        st.metric("Accuracy", percent(hits / images, bounds), help=f"{hits:,} of {images:,} test images.")
        if is_imbalanced(table["Images"]):
            support = table["Images"].tolist()
            balanced_metrics(
                balanced_accuracy(table["Accuracy"].tolist(), support), macro_f1(table["F1"].tolist(), support)
            )
        st.metric(
            "95% interval",
            f"{percent(low, bounds)} to {percent(high, bounds)}",
            help="Wilson interval for this number of images.",
        )
        st.metric("Mean loss", f"{found.losses.mean():.3f}", help="Cross-entropy, in nats.")
        st.metric("Wrong", f"{images - hits:,}", help="Test images it gets wrong.")
    if look.run.summary.support:
        st.caption(
            f"{how_tested(look.run.summary, look.run.looks)}. If you choose by these images, you need other images "
            "for a fair test."
        )
    show_figure(
        charts.class_intervals(table),
        f"classes-{look.at}",
        "Accuracy of each class with its 95% interval",
        lambda: table,
        f"Accuracy (recall) of each class on the {images:,} test images after epoch {look.trained.epoch}: the share "
        "of its images it gets right. Bars, Low and High are 95% Wilson intervals. If two overlap widely, the test "
        "set is too small to rank these classes. Precision: the share of correct ones among all images read as the "
        "class. F1 is the harmonic mean of both. The worst class is magenta.",
    )
    shares = ("Accuracy", "Low", "High", "Precision", "F1")
    columns: dict[str, Any] = {**dict.fromkeys(shares, _PERCENT), metrics.CONFUSED: "Most often confused with"}
    st.dataframe(table.round(dict.fromkeys(shares, 3)), hide_index=True, column_config=columns)
