"""The user's labelled drawings, and fine-tuning on them."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from cnnlab.runs.entry import Entry
from cnnlab.ui.draw.teaching import my_drawings
from cnnlab.ui.shell import frame
from cnnlab.ui.shell.networks import trained_network


@frame.errors_shown()
def show(named: Mapping[str, Entry]) -> None:
    """Show the drawings, and fine-tuning of one of the runs ``named``."""
    first = next(iter(named))
    name = st.selectbox("Run to fine-tune", list(named), key="draw.learner") if len(named) > 1 else first
    run = named[name].run
    my_drawings(run, trained_network(run))
