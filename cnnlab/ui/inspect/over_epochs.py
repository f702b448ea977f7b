"""Over epochs: the validation accuracy of each class during training."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from cnnlab import charts
from cnnlab.evaluation import metrics
from cnnlab.ui.views.cached import validation_answers
from cnnlab.ui.views.view import Look
from cnnlab.ui.widgets.figure import show_figure


def show(look: Look) -> None:
    """Show a line per class, and the bars of the chosen epoch."""
    epochs = look.run.history().epochs
    if not epochs:
        st.info("The first epoch is still running.")
        return
    classes = look.trained.classes
    numbers = [epoch["epoch"] for epoch in epochs]
    lines = {name: [epoch["per_class"][index] for epoch in epochs] for index, name in enumerate(classes)}
    show_figure(
        charts.lines(lines, numbers, ("epoch", "validation accuracy"), look.trained.epoch, height=380),
        f"classes-over-epochs-{look.run.id}",
        "Validation accuracy of each class by epoch",
        lambda: pd.DataFrame({"epoch": numbers, **lines}),
        "Validation accuracy of each class after each epoch. Look for classes it learned late or forgot for a while. "
        "Click a name to hide its line, double-click to show only that line.",
    )
    table = metrics.per_class(validation_answers(look))
    show_figure(
        charts.class_intervals(table).update_layout(height=260),
        f"classes-at-{look.run.id}",
        f"Validation accuracy of each class {look.trained.when}",
        lambda: table,
        f"The same {look.trained.when}, with 95% intervals and the worst class in magenta. Press Play to see it move.",
    )
