"""Calibration: whether the network's confidence matches its accuracy, and what temperature scaling improves."""

from __future__ import annotations

import streamlit as st

from cnnlab import charts
from cnnlab.evaluation import metrics
from cnnlab.ui.shell.glossary_links import explain
from cnnlab.ui.views.cached import answers, validation_answers
from cnnlab.ui.views.view import Look
from cnnlab.ui.widgets.figure import show_figure

LEAST = 20  # images of a point: of fewer, an accuracy says next to nothing
SAME = 0.001  # of a calibration error: less is no difference


def show(look: Look) -> None:
    """Show reliability as it is, and with the temperature that fits the validation images best."""
    found = answers(look.run, look.trained)
    temperature = metrics.fit_temperature(validation_answers(look))
    scales = {"Unchanged": 1.0, f"Temperature {temperature:.2f}": temperature}
    errors = []
    for column, (title, scale) in zip(st.columns(2), scales.items(), strict=True):
        table = metrics.reliability(found, scale)
        points = metrics.joined_bins(table, LEAST)
        errors.append(metrics.calibration_error(table))
        with column:
            st.metric(title, f"ECE {errors[-1]:.1%}", help="Expected calibration error")
            show_figure(
                charts.reliability(points, title),
                f"reliability-{scale:.2f}-{look.at}",
                f"Reliability diagram: {title}",
                lambda points=points: points,  # type: ignore[misc]
            )
    st.markdown(_told(*errors))
    explain(
        f"Answers grouped by confidence, at least {LEAST} images a point; bars are 95% intervals. On the dotted line, "
        "the network is right as often as it says. Below it is overconfident, above underconfident. ECE is the mean "
        "distance from the line. Right: all logits divided by one number, the temperature, fitted on validation "
        "images (Guo et al. 2017). It changes no answer, only the confidence."
    )


def _told(before: float, after: float) -> str:
    """Say what the temperature did to the calibration error of the test images."""
    if abs(after - before) < SAME:
        return "The temperature changes little here: the network is about as well calibrated without it."
    change = f"from {before:.1%} to {after:.1%}"
    if after < before:
        return f"The temperature **improves** calibration on the test images: ECE {change}."
    return (
        f"The temperature makes calibration **worse** on the test images: ECE {change}. It fits the validation images, "
        "which may differ. Use the network unchanged."
    )
