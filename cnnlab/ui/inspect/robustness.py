"""Robustness: accuracy on corrupted images."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from cnnlab import charts
from cnnlab.evaluation.corruptions import CORRUPTIONS, STRENGTHS, corrupted, robustness
from cnnlab.runs.run import Run
from cnnlab.runs.trained import Trained, test_split
from cnnlab.ui.views.view import Look
from cnnlab.ui.widgets.figure import show_figure
from cnnlab.ui.widgets.images import upright


def show(look: Look) -> None:
    """Show accuracy against the strength of each corruption, and examples of it."""
    rows = _accuracies(look.at, look.run, look.trained)
    strengths = [0, *STRENGTHS]
    images, there_are = int(rows["images"].iloc[0]), len(test_split(look.run))
    drawn_from = f"of {there_are:,}, drawn at random with the same share of every class, " * (images < there_are)
    show_figure(
        charts.with_intervals(rows, "corruption", ("strength", "accuracy"), height=380),
        f"robustness-{look.at}",
        "Accuracy by kind and strength of corruption, with 95% intervals",
        lambda: rows,
        f"Accuracy on {images:,} test images {drawn_from}after epoch {look.trained.epoch}, corrupted in five "
        "strengths; 0 is unchanged. Bars are 95% Wilson intervals. A network copes best with changes that its "
        "augmentation contained.",
    )
    image = test_split(look.run).part(slice(1)).images
    kinds = list(CORRUPTIONS)
    pictures = [upright(corrupted(image, kind, strength)[0]) for kind in kinds for strength in strengths]
    titles = [kind if strength == 0 else str(strength) for kind in kinds for strength in strengths]
    show_figure(
        charts.tile_strip(pictures, titles, columns=len(strengths)),
        "corruptions",
        "One test image in every corruption and strength",
        lambda: pd.DataFrame({"picture": titles}),
        "The first test image: one corruption per row, strength 0 to 5.",
    )


@st.cache_data(max_entries=64, show_spinner="Corrupting images")
def _accuracies(at: str, _run: Run, _trained: Trained) -> pd.DataFrame:
    _run.count_look(_trained.epoch)
    return robustness(_trained.answers, test_split(_run))
