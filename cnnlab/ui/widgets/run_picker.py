"""Which trained run a page looks at."""

from __future__ import annotations

from typing import Any

import streamlit as st

from cnnlab.runs.catalogue import Entry
from cnnlab.runs.run import Run
from cnnlab.ui.shell import frame, session
from cnnlab.ui.shell.address import RUNS
from cnnlab.ui.shell.state import Key, picked_run

MOST_RUNS = 4  # asked side by side


def pick_run(key: str) -> Run | None:
    """A trained run to look at, by default this session's own; None, with what to do next, where there is none."""
    runs = _runs()
    if not runs:
        return None
    labels = frame.distinct_labels({run_id: run_label(entry) for run_id, entry in runs.items()})
    chosen = st.selectbox(
        "Run",
        list(runs),
        index=list(runs).index(_first(runs)),
        format_func=labels.__getitem__,
        key=_picked(key).name,
        persist_state="session",
    )
    return runs[chosen].run


def pick_runs(key: str) -> list[Entry]:
    """Up to MOST_RUNS runs to ask side by side; none, with what to do next, where there are none."""
    runs = _runs()
    if not runs:
        return []
    # Titles only: Streamlit drops a choice whose label changes, as it would when the run ends.
    labels = frame.distinct_labels({run_id: entry.title for run_id, entry in runs.items()})
    chosen: list[str] = st.multiselect(
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
        st.info("Choose a run to ask.", icon=":material/checklist:")
    return [runs[run_id] for run_id in chosen]


def _runs() -> dict[str, Entry]:
    """Trained runs by id; where there are none, with what to do next."""
    runs = {entry.id: entry for entry in session.trained_runs()}
    if not runs:
        frame.no_runs_yet()
    return runs


def _first(runs: dict[str, Entry]) -> str:
    """The session's own, else the newest."""
    own = session.current_run_id()
    return own if own and own in runs else next(iter(runs))


def _first_asked(runs: dict[str, Entry]) -> list[str]:
    """The address's, as after a reload; but where the session's own run is newer, that and what it came from."""
    first = _first(runs)
    asked = RUNS.values(runs)
    if first in asked:
        return asked[:MOST_RUNS]
    parent = runs[first].config.parent
    return [first, parent.run] if parent and parent.run in runs else [first]


def choose_run(key: str, run: Run) -> None:
    """Have the picker ``key`` stand on ``run``; for callbacks."""
    _picked(key).put(run.id)


def _picked(key: str) -> Key[Any]:
    return picked_run(key, session.current_run_id())  # a new training of this session is looked at first


def run_label(entry: Entry) -> str:
    """A run's title with its state and test accuracy."""
    summary = entry.summary
    accuracy = "" if summary.test_accuracy is None else f", test {summary.test_accuracy:.1%}"
    state = "" if summary.status == "finished" else f", {summary.status}"
    return entry.title + accuracy + state
