"""Images: the most confident errors, the least confident correct ones, the largest losses."""

from __future__ import annotations

import streamlit as st

from cnnlab.ui.views.cached import answers
from cnnlab.ui.views.gallery import gallery
from cnnlab.ui.views.view import Look

_KINDS = {
    "surest errors": "Wrong, and sure of it. Some are labelled wrong: look before you blame the network.",
    "least sure hits": "Right, but barely: what lies near the border between two classes.",
    "largest losses": "Where the true class got the least probability: what training would change most for.",
}


def show(look: Look) -> None:
    """Show a gallery in the chosen order."""
    found = answers(look.run, look.trained)
    kind = st.segmented_control(
        "Show", list(_KINDS), default="surest errors", required=True, key="evaluate.kind", persist_state="session"
    )
    st.caption(_KINDS[kind])
    confidence = found.probabilities.max(1)
    match kind:
        case "surest errors":
            chosen = (~found.hits).nonzero()[0]
            chosen = chosen[confidence[chosen].argsort()[::-1]]
        case "least sure hits":
            chosen = found.hits.nonzero()[0]
            chosen = chosen[confidence[chosen].argsort()]
        case _:
            chosen = found.losses.argsort()[::-1]
    if not len(chosen):
        st.info("There are none: every test image is named right.", icon=":material/check:")
        return
    gallery(look, chosen, found, kind.replace(" ", "-"))
