"""Thresholds: precision-recall and ROC curves of one class against the rest."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from cnnlab import charts
from cnnlab.evaluation import metrics
from cnnlab.ui.shell.literal import literal
from cnnlab.ui.views.cached import answers
from cnnlab.ui.views.view import Look
from cnnlab.ui.widgets.figure import show_figure


def show(look: Look) -> None:
    """Show both curves of the chosen class."""
    found = answers(look.run, look.trained)
    classes = look.trained.classes
    name = st.selectbox("Class", classes, key=f"evaluate.class.{look.run.id}", persist_state="session")
    label = classes.index(name)
    if not 0 < (found.labels == label).sum() < len(found.labels):
        st.info("These curves need test images of this class and of others.")
        return
    precision = metrics.precision_recall(found, label)
    operating = metrics.receiver_operating(found, label)
    for column, curve, titles, measure in zip(
        st.columns(2),
        (precision, operating),
        (("recall", "precision"), ("false positives", "true positives")),
        ("Average precision", "Area under the curve"),
        strict=True,
    ):
        with column:
            st.metric(measure, f"{curve.area:.4f}")
            show_figure(
                charts.trade_off(curve.x, curve.y, titles),
                f"{titles[1].replace(' ', '-')}-{name}-{look.at}",
                f"{titles[1]} against {titles[0]} for {name}",
                lambda curve=curve, titles=titles: pd.DataFrame({titles[0]: curve.x, titles[1]: curve.y}),  # type: ignore[misc]
            )
    st.caption(
        f"Lower the probability needed for {literal(name)}: you find more of its images (recall) and make more "
        "mistakes. Left: precision against recall. Right (ROC): true positives against false positives. The corner "
        "is perfect."
    )
