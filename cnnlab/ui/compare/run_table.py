"""The list of runs: a table whose ticked rows are compared, and the one of the latest runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2s
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from plotly.colors import hex_to_rgb

from cnnlab.charts.png import inline
from cnnlab.runs.catalogue import settings_of, table
from cnnlab.runs.entry import Entry
from cnnlab.runs.listing import Listing
from cnnlab.runs.seeds import COUNT, SPREAD, fold, latest, repeats_among
from cnnlab.ui.compare.guess import without_hidden
from cnnlab.ui.shell import person, run_changes, session
from cnnlab.ui.shell.address import COMPARE
from cnnlab.ui.shell.state import COMPARED, COMPARED_CLEARED, Key, compared_table

MAX_RUNS = 10

_BALANCED = ["Balanced", "Macro F1"]  # where the classes of a run's data set differ in size
_ACCURACIES = ["Test", *_BALANCED, "Validation", "Train"]
_RESULTS = [*_ACCURACIES, SPREAD]
ALWAYS = ["Title", *_ACCURACIES, "State", "Started", "Data set", "Network", "Parameters", "MACs", "Time, s", "Disk, MB"]

_PERCENT = st.column_config.NumberColumn(format="%.1f%%")
_WHOLE = st.column_config.NumberColumn(format="localized")
_COLUMNS = {
    "Pinned": st.column_config.TextColumn("", help="Pinned runs come first", width=30),
    "Colour": st.column_config.ImageColumn("", help="The run's colour in charts", width=30),
    "Title": st.column_config.TextColumn("Run", width="medium"),
    "Started": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm:ss"),
    "Test": _PERCENT,
    SPREAD: st.column_config.NumberColumn(
        format="± %.2f", help="Standard deviation of the test accuracy between seeds, in points"
    ),
    COUNT: st.column_config.NumberColumn(help="Runs with the same settings and different seeds: accuracies are means"),
    "Balanced": st.column_config.NumberColumn(
        format="%.1f%%", help="Balanced accuracy: the mean accuracy of all classes"
    ),
    "Macro F1": st.column_config.NumberColumn(format="%.1f%%", help="The mean F1 of all classes"),
    "Validation": _PERCENT,
    "Train": _PERCENT,
    "Parameters": _WHOLE,
    "MACs": st.column_config.NumberColumn(format="localized", help="Multiply-accumulates for one image"),
    "Time, s": st.column_config.NumberColumn(format="%.1f"),
    "Disk, MB": st.column_config.NumberColumn(format="%.1f", help="What its files take; most of it is weights"),
    "Images/s": st.column_config.NumberColumn(format="%.0f"),
}


def table_of_latest(runs: Sequence[Entry], count: int) -> None:
    """Show the ``count`` latest runs with their settings and results, repeats in one row, read-only."""
    shown = latest(runs, count)
    rows = _ordered(fold(table(shown), repeats_among(shown))[:count])
    st.dataframe(_shown(rows), hide_index=True, column_config=_COLUMNS, placeholder="")


def choose_runs(runs: Listing, listed: pd.DataFrame) -> list[Entry]:
    """Show the table and return the ticked runs; at first the two newest that were tested."""
    known = runs.by_id
    chosen = _chosen(known)
    folded = _one_row_for_repeats(_ordered(listed), runs, chosen)
    ids = list(folded.index)
    # Rows are ticked by position, so a table with other runs needs another key.
    listing = compared_table(blake2s(",".join(ids).encode()).hexdigest()[:16])
    st.dataframe(
        _with_owners(without_hidden(_shown(folded), _RESULTS, [known[run_id] for run_id in chosen]), known),
        key=listing.name,
        hide_index=True,
        column_config=_COLUMNS,
        placeholder="",
        on_select=lambda: _take(listing, ids),
        selection_mode="multi-row",
        selection_default={"selection": {"rows": [ids.index(run_id) for run_id in chosen if run_id in ids]}},
    )
    hidden = len([run_id for run_id in chosen if run_id not in ids])
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"{len(listed):,} of {len(known):,} runs"
            + (f" in {len(ids):,} rows" if len(ids) < len(listed) else "")
            + f". Select 2 to {MAX_RUNS} to compare them; selected: {len(chosen)}"
            + (f", {hidden} of them hidden by the search." if hidden else ".")
        )
        if chosen:
            st.button("Clear selection", icon=":material/deselect:", type="tertiary", on_click=tick_only, args=[[]])
    return [known[run_id] for run_id in chosen]


def _one_row_for_repeats(listed: pd.DataFrame, runs: Listing, chosen: Sequence[str]) -> pd.DataFrame:
    """Fold runs that differ only by their seed into one row, unless that is not wanted."""
    folded = fold(listed, runs.once(repeats_among), chosen)
    if len(folded) == len(listed):
        return listed
    is_wanted = st.toggle(
        "One row for repeats",
        True,
        key="compare.folded",
        persist_state="session",
        help="Runs that differ only by their seed: mean accuracies, the spread of the test accuracy, their number",
    )
    return folded if is_wanted else listed


def _with_owners(rows: pd.DataFrame, known: Mapping[str, Entry]) -> pd.DataFrame:
    """Add whose each run is, for the teachers of a class."""
    if not (person.is_class() and person.me().is_in_charge):
        return rows
    names = person.names()
    rows.insert(list(rows.columns).index("Title") + 1, "By", [names.get(known[one].owner, "") for one in rows.index])
    return rows


def tick_only(ids: Sequence[str]) -> None:
    """Tick only these runs; for callbacks."""
    COMPARED_CLEARED.put(COMPARED_CLEARED.get() + 1)
    _choose(list(ids)[:MAX_RUNS])


def _chosen(known: Mapping[str, Entry]) -> list[str]:
    """Return the ids from the session, else the URL, else the two newest tested ones; only those that still exist."""
    # Stored for each run of the session, so that a new training is shown first.
    given: list[str] | None = COMPARED.get().get(session.current_run_id())
    if given is None:
        asked = COMPARE.values(known) if not COMPARED.is_set else []
        warn_of_missing(known)
        given = asked[:MAX_RUNS] or _newest(known)
    given = [run_id for run_id in given if run_id in known]
    _choose(given)
    return given


def _newest(known: Mapping[str, Entry]) -> list[str]:
    """Return the ids of the two newest runs: tested ones and no repeats of each other, as far as there are."""
    tested = [entry for entry in known.values() if entry.test_accuracy is not None] or list(known.values())
    apart = {entry.unseeded: entry.id for entry in reversed(tested)}  # the newest of each settings
    newest = [entry.id for entry in tested if apart[entry.unseeded] == entry.id]
    return newest[:2] if len(newest) > 1 else [entry.id for entry in tested[:2]]


def warn_of_missing(known: Mapping[str, Entry]) -> None:
    """Say where the URL of a link names runs that are not here, or that are deleted and can be restored."""
    if COMPARED.is_set or not COMPARE.has_unknown(known):
        return
    is_deleted = not COMPARE.has_unknown({*known, *(run.id for run in run_changes.deleted_runs())})
    what = "are deleted. You can restore them below." if is_deleted else "do not exist here."
    st.warning(f"Some runs in this link {what}", icon=":material/link_off:")


def _choose(ids: list[str]) -> None:
    COMPARED.put({session.current_run_id(): ids})
    COMPARE.put(*ids)


def _take(table: Key[Any], ids: Sequence[str]) -> None:
    """Store the ticked runs and those ticked before but hidden now; the earlier ones first, so that colours stay."""
    ticked = [ids[row] for row in table.get().selection.rows if row < len(ids)]
    before: list[str] = COMPARED.get().get(session.current_run_id(), [])
    kept = [run_id for run_id in before if run_id in ticked or run_id not in ids]
    wanted = [*kept, *(run_id for run_id in ticked if run_id not in kept)]
    if len(wanted) > MAX_RUNS:
        st.toast(f"You can compare at most {MAX_RUNS} runs: deselect one first.", icon=":material/info:")
    _choose(wanted[:MAX_RUNS])


def _shown(rows: pd.DataFrame) -> pd.DataFrame:
    """Select informative columns: titles, pins and tags where there are any, settings that differ."""
    own = [name for name in ("Pinned", "Colour") if rows[name].any()]
    tags = ["Tags"] if rows["Tags"].map(len).any() else []
    settings = [name for name in settings_of(rows) if rows[name].nunique(dropna=False) > 1]
    columns = [*own, *ALWAYS, *tags, *settings, "Images/s", "Device used"]
    if COUNT in rows:
        columns[columns.index("Test") + 1 : columns.index("Test") + 1] = [SPREAD, COUNT]
    shown = rows[columns]
    shown = shown.assign(**{name: 100 * shown[name].astype(float) for name in _ACCURACIES})
    shown = shown.drop(columns=[name for name in _BALANCED if rows[name].isna().all()])
    shown = shown.assign(State=rows["Came to"])
    if "Colour" in own:
        shown = shown.assign(Colour=shown["Colour"].map(_swatch))
    return shown.assign(Pinned=shown["Pinned"].map({True: "📌", False: ""})) if "Pinned" in own else shown


def _swatch(colour: str) -> str | None:
    """Return a square of a run's own colour as a data URL."""
    return inline(np.full((12, 12, 3), hex_to_rgb(colour), np.uint8)) if colour else None


def _ordered(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.sort_values("Pinned", ascending=False, kind="stable")
