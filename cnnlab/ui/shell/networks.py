"""Trained networks: each run and epoch rebuilt from disk once, for all sessions."""

from __future__ import annotations

import copy
from dataclasses import replace

import streamlit as st

from cnnlab.runs.published_network import as_published
from cnnlab.runs.run import Run
from cnnlab.runs.trained import Trained, load_trained

KEPT = 40  # networks: one of each pupil of a class, and some to compare with


def trained_network(run: Run, epoch: int | None = None) -> Trained:
    """Return the network of ``run`` after ``epoch``, by default the judged one: a copy, free to hook.

    Raises RunError as ``load_trained`` does.
    """
    shared = load_network(run, run.judged_epoch if epoch is None else epoch)
    return replace(shared, network=copy.deepcopy(shared.network))


def load_network(run: Run, epoch: int) -> Trained:
    """Have the network at hand for ``trained_network``; this one is shared, not to be changed. Raises as that does."""
    return _rebuilt(str(run.folder), epoch, run)


def published_network(run: Run) -> Trained:
    """Return the network whose weights ``run`` started from, with ImageNet's classes: a copy, free to hook.

    Raises as ``as_published`` does.
    """
    shared = _published(str(run.folder), run)
    return replace(shared, network=copy.deepcopy(shared.network))


@st.cache_resource(max_entries=KEPT, show_spinner=False)
def _published(folder: str, _run: Run) -> Trained:
    return as_published(_run)


@st.cache_resource(max_entries=KEPT, show_spinner=False)
def _rebuilt(folder: str, epoch: int, _run: Run) -> Trained:
    return load_trained(_run, epoch)
