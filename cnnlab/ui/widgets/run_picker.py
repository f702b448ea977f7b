"""The choice of trained runs for a page."""

from __future__ import annotations

from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cnnlab.runs.entry import Entry
from cnnlab.runs.listing import Listing
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
    labels = runs.once(_labels)
    chosen = (place or st).selectbox(
        "Run",
        list(labels),
        index=list(labels).index(_first(runs)),
        format_func=labels.__getitem__,
        key=_picked(key).name,
        persist_state="session",
    )
    return runs.by_id[chosen].run


def pick_runs(key: str, place: DeltaGenerator) -> list[Entry]:
    """Choose up to MOST_RUNS runs to compare, at ``place``; where there are none, show what to do next."""
    runs = _runs()
    if not runs:
        return []
    # Titles only: Streamlit drops a choice whose label changes, as it would when the run ends.
    labels = runs.once(_titles)
    chosen: list[str] = place.multiselect(
        f"Runs, up to {MOST_RUNS} side by side",
        list(labels),
        default=_first_asked(runs),
        format_func=labels.__getitem__,
        max_selections=MOST_RUNS,
        key=_picked(key).name,
        persist_state="session",
    )
    RUNS.put(*chosen)
    if not chosen:
        st.info("Choose a run.", icon=":material/checklist:")
    return [runs.by_id[run_id] for run_id in chosen]


def _runs() -> Listing:
    """List trained runs; where there are none, show what to do next."""
    frame.warn_of_missing_data()
    runs = session.trained_runs()
    if not runs:
        frame.no_runs_yet()
    return runs


def _labels(runs: Listing) -> dict[str, str]:
    return frame.distinct_labels({entry.id: entry.label for entry in runs})


def _titles(runs: Listing) -> dict[str, str]:
    return frame.distinct_labels({entry.id: entry.title for entry in runs})


def _first(runs: Listing) -> str:
    """Return the id of the session's own run, else of the newest."""
    own = session.current_run_id()
    return own if own and own in runs.by_id else runs[0].id


def _first_asked(listing: Listing) -> list[str]:
    """Return the URL's runs, as after a reload; where the session's own run is newer, that and its parent."""
    runs = listing.by_id
    first, own, asked = _first(listing), session.current_run_id(), RUNS.values(runs)
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
    return picked_run(key, own if own in session.trained_runs().by_id else None)
