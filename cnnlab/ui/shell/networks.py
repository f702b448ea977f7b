"""Trained networks, each rebuilt from disk once per run and epoch, for all sessions."""

from __future__ import annotations

import copy
from dataclasses import replace

import streamlit as st

from cnnlab.runs.run import Run
from cnnlab.runs.trained import Trained, load_trained

KEPT = 16  # networks


def trained_network(run: Run, epoch: int | None = None) -> Trained:
    """Load the network of ``run`` after ``epoch``, by default the evaluated one; a copy, safe for hooks and gradients.

    Raises RunError as ``load_trained`` does.
    """
    found = _rebuilt(str(run.folder), run.judged_epoch if epoch is None else epoch, run)
    return replace(found, network=copy.deepcopy(found.network))


@st.cache_resource(max_entries=KEPT, show_spinner=False)
def _rebuilt(folder: str, epoch: int, _run: Run) -> Trained:
    return load_trained(_run, epoch)
