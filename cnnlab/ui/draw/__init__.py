"""The parts of Draw: what one can show a network. Each draws what the chosen runs answer."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cnnlab.data.datasets import DATASETS
from cnnlab.runs.catalogue import Entry
from cnnlab.ui.compare.selection import short_names
from cnnlab.ui.draw.tab import Way
from cnnlab.ui.widgets.glossary_links import linked

WAYS: dict[str, Way] = {
    "Canvas": Way("canvas_tab", "Draw with the mouse, a pen or a finger."),
    "Photo": Way("photo_tab", "A photo of digits on paper: all are found and read, line by line."),
    "Challenge": Way("challenge_tab", "Ten to draw against the clock: how many are read right?"),
    "My drawings": Way("my_drawings", "What you said your drawings are; a network can learn your hand from them."),
    "Picture": Way("picture_tab", "A picture of your own, scaled to what the network takes.", of_characters=False),
}


def show_and_ask(entries: Sequence[Entry]) -> None:
    """The ways that suit the chosen runs' data sets, and the one chosen."""
    suited = {
        name: [entry for entry in entries if DATASETS[entry.config.dataset].is_drawn == way.of_characters]
        for name, way in WAYS.items()
    }
    offered = [name for name, asked in suited.items() if asked]
    name = st.segmented_control(
        "Show it", offered, default=offered[0], required=True, key=f"draw.way.{len(offered)}", persist_state="session"
    )
    way, asked = WAYS[name], suited[name]
    st.caption(linked(way.question))
    if len(asked) < len(entries):
        st.caption(f"This suits {len(asked)} of the {len(entries)} chosen runs.")
    way.show(short_names(asked))


__all__ = ["WAYS", "Way", "show_and_ask"]
