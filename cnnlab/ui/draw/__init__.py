"""The parts of Draw: tabs with different inputs, each with the chosen runs' predictions."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cnnlab.data.datasets import DATASETS
from cnnlab.runs.comparison import short_names
from cnnlab.runs.entry import Entry
from cnnlab.ui.draw import canvas_tab, challenge_tab, live_tab, my_drawings, photo_tab, picture_tab
from cnnlab.ui.draw.tab import Tab
from cnnlab.ui.shell.glossary_links import explain

TABS: dict[str, Tab] = {
    "Canvas": Tab("Draw with the mouse, a pen or a finger.", canvas_tab.show),
    "Photo": Tab("A photo of handwritten digits: finds and reads them all, line by line.", photo_tab.show),
    "Challenge": Tab("Draw ten digits against the clock. How many are read right?", challenge_tab.show),
    "My drawings": Tab("Your labelled drawings. A network can learn your handwriting from them.", my_drawings.show),
    "Camera": Tab("Point the camera at something and see the answers live.", live_tab.show, of_characters=False),
    "Picture": Tab("Your own picture, scaled to the network's input size.", picture_tab.show, of_characters=False),
}


def show_and_ask(entries: Sequence[Entry]) -> None:
    """Show the tabs that suit the chosen runs' data sets, and the content of the open one."""
    suited = {
        name: [entry for entry in entries if DATASETS[entry.config.dataset].is_drawn == tab.of_characters]
        for name, tab in TABS.items()
    }
    offered = [name for name, asked in suited.items() if asked]
    name = st.segmented_control(
        "Input", offered, default=offered[0], required=True, key=f"draw.way.{len(offered)}", persist_state="session"
    )
    tab, asked = TABS[name], suited[name]
    explain(tab.question)
    if len(asked) < len(entries):
        st.caption(f"Works with {len(asked)} of the {len(entries)} selected runs.")
    tab.show(short_names(asked))


__all__ = ["TABS", "Tab", "show_and_ask"]
