"""Robustness: accuracy on images made worse."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from cnnlab import charts
from cnnlab.corruption import CORRUPTIONS, STRENGTHS, corrupted
from cnnlab.data import Split
from cnnlab.inference import Trained, test_split
from cnnlab.runs import Run
from cnnlab.ui.pictures import upright
from cnnlab.ui.views.look import Look, show_figure

IMAGES = 500


def show(look: Look) -> None:
    """A line a corruption over its strength, and what they look like."""
    lines = _accuracies(look.at, look.run, look.trained)
    strengths = [0, *STRENGTHS]
    show_figure(
        charts.lines(lines, strengths, ("strength", "accuracy"), height=380),
        f"robustness-{look.at}",
        "Accuracy by kind and strength of corruption",
        lambda: pd.DataFrame({"strength": strengths, **lines}),
        f"Accuracy on {IMAGES} test images at the most after epoch {look.trained.epoch}, made worse in five strengths; "
        "0 is as they are. What the training images were varied by (augmentation) is borne best.",
    )
    image = test_split(look.run).images[:1]
    kinds = list(CORRUPTIONS)
    pictures = [upright(corrupted(image, kind, strength)[0]) for kind in kinds for strength in strengths]
    titles = [kind if strength == 0 else str(strength) for kind in kinds for strength in strengths]
    show_figure(
        charts.tile_strip(pictures, titles, columns=len(strengths)),
        "corruptions",
        "One test image in every corruption and strength",
        lambda: pd.DataFrame({"picture": titles}),
        "The first test image, one kind a row, from strength 0 to 5.",
    )


@st.cache_data(max_entries=64, show_spinner="Making images worse")
def _accuracies(at: str, _run: Run, _trained: Trained) -> dict[str, list[float]]:
    split = test_split(_run).part(slice(IMAGES))
    return {
        kind: [
            float(_trained.answers(Split(corrupted(split.images, kind, strength), split.labels)).hits.mean())
            for strength in (0, *STRENGTHS)
        ]
        for kind in CORRUPTIONS
    }
