"""Mistakes: the most confident errors, the least confident correct ones, the largest losses."""

from __future__ import annotations

import streamlit as st

from cnnlab.ui.inspect.nothing_to_show import nothing_to_show
from cnnlab.ui.views.cached import answers
from cnnlab.ui.views.gallery import gallery
from cnnlab.ui.views.view import Look

_KINDS = {
    "confident mistakes": "Wrong, but confident. Some labels are wrong: check before you blame the network.",
    "unsure but right": "Right, but barely: images near the border between two classes.",
    "largest losses": "Images where the true class got the lowest probability. They drive training most.",
}


def show(look: Look) -> None:
    """Show a gallery in the chosen order."""
    found = answers(look.run, look.trained)
    kind = st.segmented_control(
        "Show", list(_KINDS), default="confident mistakes", required=True, key="evaluate.kind", persist_state="session"
    )
    st.caption(_KINDS[kind])
    confidence = found.probabilities.max(1)
    match kind:
        case "confident mistakes":
            chosen = (~found.hits).nonzero()[0]
            chosen = chosen[confidence[chosen].argsort()[::-1]]
        case "unsure but right":
            chosen = found.hits.nonzero()[0]
            chosen = chosen[confidence[chosen].argsort()]
        case _:
            chosen = found.losses.argsort()[::-1]
    if not len(chosen):
        nothing_to_show("None: every test image is right.", "evaluate", "Robustness", "See how it reads worse images")
        return
    gallery(look, chosen, found, kind.replace(" ", "-"))
