"""Guess first: which of the chosen runs is better, by how much and at which class, before their results are shown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cnnlab.learn.guesses import Ask, Outcome, leads
from cnnlab.runs.entry import Entry
from cnnlab.runs.guessing import class_spreads, is_guessable, validation_noise, validation_points
from cnnlab.ui.compare.selection import Chosen
from cnnlab.ui.shell.state import COMPARED_REVEALED
from cnnlab.ui.widgets.guess_first import guess_first, is_awaited
from cnnlab.ui.widgets.guess_record import guess_habit


def guess_of(chosen: Chosen, aside: DeltaGenerator) -> bool:
    """Offer a guess of the chosen runs; return whether their results may be shown.

    ``aside`` is where the button is that brings guesses back.
    """
    named = chosen.named
    if not is_guessable(named):
        return True

    def outcome() -> Outcome:
        noise = validation_noise(named, chosen.everything)
        return Outcome(leads(validation_points(named)), class_spreads(named), noise)

    may_show = guess_first("compare", _ask(list(named), list(named.values())), outcome, waits=False, aside=aside)
    if COMPARED_REVEALED.get() != _revealed(list(named.values())):
        st.rerun()  # the list of runs as well
    return may_show


def without_hidden(rows: pd.DataFrame, results: Sequence[str], chosen: Sequence[Entry]) -> pd.DataFrame:
    """Empty the columns ``results`` of the list of runs where they may still be guessed.

    The list is drawn again once that changes.
    """
    told = COMPARED_REVEALED.put(_revealed(chosen))
    if told is None:
        return rows
    emptied = rows.copy()
    emptied.loc[~rows.index.isin(list(told)), [name for name in results if name in rows]] = np.nan
    return emptied


def _revealed(entries: Sequence[Entry]) -> frozenset[str] | None:
    """Return the ids of the runs whose results the list tells: None, all, for those who do not guess.

    Others see those of the chosen runs, unless they wait for a guess.
    """
    if guess_habit() != "guess":
        return None
    waits = is_guessable({entry.id: entry for entry in entries}) and is_awaited(_ask([], entries))
    return frozenset() if waits else frozenset(entry.id for entry in entries)


def _ask(names: Sequence[str], entries: Sequence[Entry]) -> Ask:
    classes = entries[0].summary.classes
    return Ask(
        f"compare {' '.join(sorted(entry.id for entry in entries))}",
        "Which run has the higher validation accuracy, by how many points, and on which class do they differ most?"
        if len(names) == 2
        else "Which run has the highest validation accuracy, how many points ahead of the next, and on which class do "
        "they differ most?",
        tuple(names),
        "By how many points?",
        classes=classes if all(entry.summary.classes == classes for entry in entries) else (),
    )
