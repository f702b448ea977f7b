"""The search and the filters above the list of runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st
from pandas.api.types import is_bool_dtype, is_datetime64_any_dtype, is_numeric_dtype

from cnnlab.runs.catalogue import search, table
from cnnlab.runs.listing import Listing
from cnnlab.ui.shell.state import SEARCH

FILTERS_ABREAST = 4
FEW = 20  # distinct values of a column, up to which the filter lists each

_SEARCHED = ("Text", "Run", "Title", "Name", "Came to", "Colour")  # found by search, not by filters


def find_runs(runs: Listing) -> pd.DataFrame:
    """Show the search field and the filters; return the matching rows."""
    whole = rows = runs.once(table)
    words, filters = st.columns([3, 2], vertical_alignment="bottom")
    text = words.text_input(
        "Search",
        key=SEARCH.name,
        persist_state="session",
        placeholder="Words in the title, tags, note, network or data",
    )
    picked = filters.multiselect("Filter by", runs.once(_filters), key="compare.filters", persist_state="session")
    rows = search(rows, text)
    places = [place for _ in range(0, len(picked), FILTERS_ABREAST) for place in st.columns(FILTERS_ABREAST)]
    for place, name in zip(places, picked, strict=False):
        with place:
            rows = _filtered(rows, name, whole[name])
    return rows


def _filters(runs: Listing) -> list[str]:
    """List the columns to filter by."""
    rows = runs.once(table)
    return [name for name in rows.columns if name not in _SEARCHED and _varies(rows[name])]


def _varies(values: pd.Series[Any]) -> bool:
    """Check whether a filter on the column can remove any row."""
    if values.name == "Tags":
        return bool(values.map(len).any())
    return values.nunique(dropna=False) > 1


def _filtered(rows: pd.DataFrame, name: str, whole: pd.Series[Any]) -> pd.DataFrame:
    """Show one filter and return the matching rows; its choices come from the ``whole`` column."""
    key = f"compare.filter.{name}"
    if name == "Tags":
        wanted = st.multiselect(
            "Tags", sorted({tag for tags in whole for tag in tags}), key=key, persist_state="session"
        )
        return rows[rows["Tags"].map(lambda tags: set(wanted) <= set(tags))]
    values = sorted(whole.dropna().unique())
    if is_datetime64_any_dtype(whole):
        return _between_days(rows, name, values, key)
    if len(values) <= FEW or not is_numeric_dtype(whole) or is_bool_dtype(whole):
        wanted = st.multiselect(name, values, key=key, persist_state="session", placeholder="all")
        return rows[rows[name].isin(wanted)] if wanted else rows
    low, high = st.select_slider(
        name, values, (values[0], values[-1]), format_func=_short, key=key, persist_state="session"
    )
    return rows[rows[name].between(low, high)]


def _between_days(rows: pd.DataFrame, name: str, values: Sequence[Any], key: str) -> pd.DataFrame:
    first, last = values[0].date(), values[-1].date()
    days = st.date_input(name, (first, last), first, last, key=key, persist_state="session")
    days = days if isinstance(days, tuple) else (days,)
    started = rows[name].dt.date
    return rows[started.between(days[0], days[-1])] if days else rows


def _short(value: float) -> str:
    return f"{value:.4g}"
