"""Surgery: filters switched off, layers swapped or pruned, and what each class loses, at once."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
import streamlit as st

from cnnlab import charts
from cnnlab.analysis.surgery import Operated, a_sample
from cnnlab.errors import CnnLabError
from cnnlab.evaluation import metrics
from cnnlab.evaluation.metrics import Answers, before_and_after
from cnnlab.networks.operations import Operation
from cnnlab.quantities import percent, signed
from cnnlab.runs.ancestry import data_of
from cnnlab.runs.run import Run
from cnnlab.runs.surgery import weights_for
from cnnlab.runs.trained import Trained
from cnnlab.ui.inspect.surgery_tools import history_buttons, instruments, opened, steps_of
from cnnlab.ui.shell import frame
from cnnlab.ui.shell.literal import literal
from cnnlab.ui.shell.reasons import as_reason
from cnnlab.ui.views.view import Look
from cnnlab.ui.widgets.figure import show_figure


def show(look: Look) -> None:
    """Show the accuracy, below it the layers to operate on, and beside them the answers before and after."""
    st.fragment(_table)(look, _patient(look.at, look.run, look.trained))


@st.cache_resource(max_entries=4, show_spinner="Running the network on validation images")
def _patient(at: str, _run: Run, _trained: Trained) -> Operated:
    config = _run.config
    images = a_sample(data_of(_run).validation, config.architecture, len(_trained.classes))
    return Operated(_trained, images, weights_for(_run, opened))


@st.cache_data(max_entries=64, show_spinner=False)
def _answers(at: str, steps: str, _patient: Operated, _operations: tuple[Operation, ...]) -> Answers:
    return _patient.answers(_operations)


@frame.errors_shown()
def _table(look: Look, patient: Operated) -> None:
    answer = st.container()  # above the tools: on a phone it stays in sight while filters are switched off
    left, right = st.columns([2, 3], gap="large")
    with left:
        instruments(look, patient)
        history = history_buttons(look)
    try:
        found = _answers(look.at, history.present, patient, steps_of(history))
    except CnnLabError as error:  # a run that a layer came from is gone, or another epoch's does not fit
        answer.error(f"{as_reason(error)} Undo the last operation, or start over.")
        return
    with answer:
        _tell(patient.whole, found)
    with right:
        _draw(look, patient.whole, found)


def _tell(before: Answers, after: Answers) -> None:
    """Show both accuracies, and say which class loses most."""
    images, wrong = len(before.labels), [int((~answers.hits).sum()) for answers in (before, after)]
    changed = int((before.named != after.named).sum())
    with st.container(horizontal=True):
        lost = wrong[1] - wrong[0]
        colour: Literal["inverse", "normal"] = "inverse" if lost > 0 else "normal"
        st.metric(
            "Accuracy",
            percent(after.hits.mean()),
            f"{signed(-100 * lost / images)} points" if lost else None,
            colour,
            delta_arrow="down" if lost > 0 else "up",
            help=f"On the same {images:,} validation images before and after.",
        )
        st.metric("Wrong", f"{wrong[1]:,}", signed(lost, "d") if lost else None, colour, delta_arrow="off")
        st.metric("Answers changed", f"{changed:,}", help="Images whose answer differs from the whole network's.")
    st.markdown(_most_lost(before, after))


def _most_lost(before: Answers, after: Answers) -> str:
    losses = before.right - after.right
    if not losses.any():
        return "Every class keeps its accuracy."
    images = np.maximum(before.images, 1)
    worst = int((losses / images).argmax())
    if losses[worst] <= 0:
        return "No class loses accuracy."
    name, of = literal(before.classes[worst]), before.images[worst]
    return f"**{name}** loses most: {before.right[worst]} of {of} right before, {after.right[worst]} now."


def _draw(look: Look, before: Answers, after: Answers) -> None:
    classes = look.trained.classes
    table = before_and_after(before.classes, before.images, before.right, after.right)
    show_figure(
        charts.class_changes(table),
        f"surgery-classes-{look.at}",
        "Accuracy of each class before and after the operations",
        lambda: table,
        f"A fixed sample of {len(before.labels):,} validation images: play as long as you like, the test images stay "
        "unseen.",
    )
    matrix = metrics.confusion(after)
    show_figure(
        charts.confusion(matrix, classes),
        f"surgery-confusion-{look.at}",
        "Confusion matrix after the operations",
        lambda: pd.DataFrame(matrix, columns=list(classes)).assign(true=classes),
        "The confusion now: rows are true classes, columns the answers, magenta marks errors.",
    )
