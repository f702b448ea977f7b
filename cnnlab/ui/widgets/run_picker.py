"""The choice of trained runs for a page."""

from __future__ import annotations

from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cnnlab.runs.catalogue import Entry
from cnnlab.runs.run import Run
from cnnlab.ui.shell import frame, session
from cnnlab.ui.shell.address import RUNS
from cnnlab.ui.shell.state import Key, picked_run

MOST_RUNS = 4  # shown side by side


def pick_run(key: str, place: DeltaGenerator | None = None) -> Run | None:
    """Choose a trained run, by default this session's own; show what to do next and return None where there is none.

    The choice stands at ``place``, by default where the page is.
    """
    runs = _runs()
    if not runs:
        return None
    labels = frame.distinct_labels({run_id: run_label(entry) for run_id, entry in runs.items()})
    chosen = (place or st).selectbox(
        "Run",
        list(runs),
        index=list(runs).index(_first(runs)),
        format_func=labels.__getitem__,
        key=_picked(key).name,
        persist_state="session",
    )
    return runs[chosen].run


def pick_runs(key: str, place: DeltaGenerator) -> list[Entry]:
    """Choose up to MOST_RUNS runs to compare, at ``place``; where there are none, show what to do next."""
    runs = _runs()
    if not runs:
        return []
    # Titles only: Streamlit drops a choice whose label changes, as it would when the run ends.
    labels = frame.distinct_labels({run_id: entry.title for run_id, entry in runs.items()})
    chosen: list[str] = place.multiselect(
        f"Runs, up to {MOST_RUNS} side by side",
        list(runs),
        default=_first_asked(runs),
        format_func=labels.__getitem__,
        max_selections=MOST_RUNS,
        key=_picked(key).name,
        persist_state="session",
    )
    RUNS.put(*chosen)
    if not chosen:
        st.info("Choose a run.", icon=":material/checklist:")
    return [runs[run_id] for run_id in chosen]


def _runs() -> dict[str, Entry]:
    """List trained runs by id; where there are none, show what to do next."""
    frame.warn_of_missing_data()
    runs = {entry.id: entry for entry in session.trained_runs()}
    if not runs:
        frame.no_runs_yet()
    return runs


def _first(runs: dict[str, Entry]) -> str:
    """Return the id of the session's own run, else of the newest."""
    own = session.current_run_id()
    return own if own and own in runs else next(iter(runs))


def _first_asked(runs: dict[str, Entry]) -> list[str]:
    """Return the URL's runs, as after a reload; where the session's own run is newer, that and its parent."""
    first, own, asked = _first(runs), session.current_run_id(), RUNS.values(runs)
    if RUNS.has_unknown(runs):
        st.warning("Some runs in this link do not exist here.", icon=":material/link_off:")
    if asked and (own not in runs or own in asked):
        return asked[:MOST_RUNS]
    parent = runs[first].config.parent
    return [first, parent.run] if parent and parent.run in runs else [first]


def choose_run(key: str, run: Run) -> None:
    """Set the picker ``key`` to ``run``; for callbacks."""
    _picked(key).put(run.id)


def _picked(key: str) -> Key[Any]:
    """Return the key of a picker, another one once a new training of this session can be shown."""
    own = session.current_run_id()
    return picked_run(key, own if any(entry.id == own for entry in session.trained_runs()) else None)


def run_label(entry: Entry) -> str:
    """Format a run's title with its state and test accuracy."""
    summary = entry.summary
    accuracy = "" if summary.test_accuracy is None else f", test {summary.test_accuracy:.1%}"
    state = "" if summary.status == "finished" else f", {summary.status}"
    return entry.title + accuracy + state
