"""Confusion: which classes are mistaken for which; a click on a cell shows those images."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from cnnlab import charts
from cnnlab.evaluation import metrics
from cnnlab.ui.shell.literal import literal
from cnnlab.ui.shell.state import CONFUSION_CELL
from cnnlab.ui.views.cached import answers
from cnnlab.ui.views.gallery import gallery
from cnnlab.ui.views.view import Look
from cnnlab.ui.widgets.figure import close_button, opened, show_figure

_SCALES = {"images": None, "share of the true class": "true", "share of predictions": "pred"}


def show(look: Look) -> None:
    """Show the matrix as counts or shares, and the images of a clicked cell."""
    found = answers(look.run, look.trained)
    classes = look.trained.classes
    scale = st.segmented_control(
        "Cells show", list(_SCALES), default="images", required=True, key="evaluate.scale", persist_state="session"
    )
    matrix = metrics.confusion(found, _SCALES[scale])  # type: ignore[arg-type]
    show_figure(
        charts.confusion(matrix, classes),
        f"confusion-{look.at}",
        "Confusion matrix",
        lambda: pd.DataFrame(matrix, columns=list(classes)).assign(true=classes),
        "Rows are true classes, columns the network's answers. Magenta marks errors: the stronger, the more. The "
        "diagonal counts correct answers. Click a cell to see its images.",
        CONFUSION_CELL,
    )
    cell = opened(CONFUSION_CELL, len(classes) ** 2)
    if cell is None:
        return
    true, answer = divmod(cell, len(classes))
    members = ((found.labels == true) & (found.named == answer)).nonzero()[0]
    with st.container(horizontal=True, vertical_alignment="center"):
        taken = f"{literal(classes[true])} read as {literal(classes[answer])}"
        st.markdown(f"#### {taken}: {len(members):,} images")
        close_button(CONFUSION_CELL)
    if len(members):
        surest = members[found.probabilities[members, answer].argsort()[::-1]]
        gallery(look, surest, found, f"cell-{true}-{answer}")
