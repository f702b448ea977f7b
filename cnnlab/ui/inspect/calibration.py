"""Calibration: whether the network's confidence matches its accuracy, and what temperature scaling improves."""

from __future__ import annotations

import streamlit as st

from cnnlab import charts
from cnnlab.evaluation import metrics
from cnnlab.ui.shell.glossary_links import explain
from cnnlab.ui.views.cached import answers, validation_answers
from cnnlab.ui.views.view import Look
from cnnlab.ui.widgets.figure import show_figure


def show(look: Look) -> None:
    """Show reliability as it is, and with the temperature that fits the validation images best."""
    found = answers(look.run, look.trained)
    temperature = metrics.fit_temperature(validation_answers(look))
    left, right = st.columns(2)
    for column, scale, title in ((left, 1.0, "Unchanged"), (right, temperature, f"Temperature {temperature:.2f}")):
        table = metrics.reliability(found, scale)
        with column:
            st.metric(title, f"ECE {metrics.calibration_error(table):.1%}", help="Expected calibration error")
            show_figure(
                charts.reliability(table, title),
                f"reliability-{scale:.2f}-{look.at}",
                f"Reliability diagram: {title}",
                lambda table=table: table,  # type: ignore[misc]
            )
    explain(
        "Answers grouped by confidence. On the dotted line, the network is right as often as it says. Below it "
        "is overconfident, above underconfident. Larger points are more images. ECE is the mean distance from "
        "the line. Right: all logits divided by one number, the temperature, fitted on validation images (Guo et "
        "al. 2017). It changes no answer, only the confidence."
    )
