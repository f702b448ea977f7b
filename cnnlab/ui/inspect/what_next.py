"""What to do after Evaluate: see why it fails, train it better, try it, take it along."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import streamlit as st

from cnnlab.charts.style import TILE_NAME
from cnnlab.errors import CnnLabError
from cnnlab.evaluation import metrics
from cnnlab.evaluation.metrics import Answers
from cnnlab.runs.run import Run
from cnnlab.ui.shell import frame
from cnnlab.ui.shell.networks import trained_network
from cnnlab.ui.views.cached import answers
from cnnlab.ui.views.gallery import inside_button
from cnnlab.ui.views.view import Look
from cnnlab.ui.widgets.take_away import take_away


def what_next(run: Run) -> None:
    """Show a row of ways on; the first explains the most frequent mistake of the tested network."""
    with suppress(CnnLabError):  # the views say what is wrong with a run
        _ways(run)


def _ways(run: Run) -> None:
    trained = trained_network(run)
    found = answers(run, trained)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("**Next**", width="content")
        if (mistake := typical_mistake(found)) is not None:
            true, said = (found.classes[label] for label in (found.labels[mistake], found.named[mistake]))
            if max(len(true), len(said)) <= TILE_NAME:
                label = f"See why it reads {frame.literal(true)} as {frame.literal(said)}"
            else:
                label = "See why it makes its most frequent mistake"
            inside_button(Look(run, trained, run.epochs()), mistake, "Attribution", label, ":material/troubleshoot:")
        frame.link("Train", "Train it better")
        frame.link_to_draw(run.config.dataset, run.summary.classes)
        with st.popover("Export", icon=":material/output:"):
            take_away(run)


def typical_mistake(found: Answers) -> int | None:
    """Find, of the two classes that are confused most often, the most confident mistake; None without mistakes."""
    counts = metrics.confusion(found)
    np.fill_diagonal(counts, 0)
    if not counts.any():
        return None
    true, said = divmod(int(counts.argmax()), len(found.classes))
    members = ((found.labels == true) & (found.named == said)).nonzero()[0]
    return int(members[found.probabilities[members, said].argmax()])
