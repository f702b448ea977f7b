"""Deleted runs: what deletes them, and the ways back for seven days."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cnnlab.runs.run import Run, RunError
from cnnlab.ui.compare.run_table import tick_only
from cnnlab.ui.shell import run_changes, session
from cnnlab.ui.shell.flash import say
from cnnlab.ui.shell.frame import counted, distinct_labels
from cnnlab.ui.shell.state import DELETED_RUNS
from cnnlab.ui.widgets.undo import offer_undo


def delete(place: str, run_ids: Sequence[str]) -> None:
    """Delete runs, which can be undone; for callbacks. What went wrong is said at ``place``."""
    gone = []
    for run_id in run_ids:
        try:
            run_changes.delete(run_id)
            session.forget(run_id)
            gone.append(run_id)
        except RunError as error:
            say(place, str(error), "error")
            break
    DELETED_RUNS.put(gone)


def offer_way_back(place: str) -> None:
    """Show the way back where runs have just been deleted."""
    if gone := DELETED_RUNS.get():
        offer_undo(f"Deleted: {counted(len(gone), 'run')}.", "compare.undo", _undo, place, gone)


def offer_deleted(place: str) -> None:
    """Show the button with the deleted runs that the person can restore; nothing without any."""
    if deleted := run_changes.deleted_runs():
        with st.popover(f"Deleted: {len(deleted)}", icon=":material/restore_from_trash:"):
            _restore(place, deleted)


def _undo(place: str, run_ids: Sequence[str]) -> None:
    DELETED_RUNS.drop()
    try:
        for run_id in run_ids:
            run_changes.restore(run_id)
        tick_only(run_ids)
    except RunError as error:
        say(place, str(error), "error")


def _restore(place: str, deleted: Sequence[Run]) -> None:
    titles = distinct_labels({run.id: run.title for run in deleted})
    wanted = st.multiselect("Deleted in the last seven days", list(titles), format_func=titles.__getitem__)
    with st.container(horizontal=True):
        st.button("Restore", on_click=_undo, args=[place, wanted], disabled=not wanted)
        st.button(
            "Delete for good",
            icon=":material/delete_forever:",
            on_click=_delete_for_good,
            args=[place, wanted],
            disabled=not wanted,
            help="Frees their room on disk now. You cannot undo this.",
        )


def _delete_for_good(place: str, run_ids: Sequence[str]) -> None:
    DELETED_RUNS.put([run_id for run_id in DELETED_RUNS.get() if run_id not in run_ids])
    try:
        for run_id in run_ids:
            run_changes.delete_for_good(run_id)
        say(place, f"{counted(len(run_ids), 'run')} deleted for good.", "success")
    except RunError as error:
        say(place, str(error), "error")
