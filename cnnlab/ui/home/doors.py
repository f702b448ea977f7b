"""Three doors into the app: try a network, learn how it works, build one's own."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from cnnlab.training.recipes import DEFAULT, RECIPES
from cnnlab.ui.shell import frame, session


@dataclass(frozen=True)
class _Door:
    title: str
    what: str
    pages: dict[str, str]  # to what each of them shows


_DOORS = [
    _Door(
        "Try it",
        "Use a trained network and see why it gives each answer.",
        {
            "Draw": "Draw digits, or show it a photo",
            "Inside": "Look inside the network",
            "Evaluate": "See its mistakes",
        },
    ),
    _Door(
        "Learn it",
        "Short interactive chapters, from one convolution to a whole training.",
        {"Learn": "Start with chapter 1"},
    ),
    _Door(
        "Build it",
        "Train a network on digits, photos or your own pictures, and watch it learn.",
        {"Data": "Add your own pictures", "Design": "Build a network", "Compare": "Compare runs"},
    ),
]


def doors() -> None:
    """Show the three doors side by side; the last one starts a training."""
    for column, door in zip(st.columns(3), _DOORS, strict=True):
        with column.container(border=True, height="stretch"):
            st.subheader(door.title, anchor=False)
            st.markdown(door.what)
            if door is _DOORS[-1]:
                _train_now()
            for page, label in door.pages.items():
                frame.link(page, label)


def _train_now() -> None:
    training = session.running_job()
    label = "See your training" if training else "Train a network now"
    if st.button(label, type="primary", icon=":material/play_arrow:", key="home.train"):
        with frame.errors_shown():
            job = training or session.start(RECIPES[DEFAULT].config)
            frame.go_to("Train", job.run.id)
