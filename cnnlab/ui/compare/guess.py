"""Guess first: which of the chosen runs is better, by how much and at which class, before their results are shown."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cnnlab.learn.guesses import Ask, Outcome, leads
from cnnlab.runs.entry import Entry
from cnnlab.runs.guessing import class_spreads, is_guessable, validation_noise, validation_points
from cnnlab.ui.compare.selection import Chosen
from cnnlab.ui.shell.state import COMPARED_HIDDEN
from cnnlab.ui.widgets.guess_first import guess_first, is_awaited


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
    if COMPARED_HIDDEN.get() != results_wait(list(named.values())):
        st.rerun()  # the list of runs as well
    return may_show


def hides_results(entries: Sequence[Entry]) -> bool:
    """Return ``results_wait``, for the list of runs, which is drawn again once that changes."""
    return COMPARED_HIDDEN.put(results_wait(entries))


def results_wait(entries: Sequence[Entry]) -> bool:
    """Whether a guess of these runs is still to come, so that no list may tell their results."""
    return is_guessable({entry.id: entry for entry in entries}) and is_awaited(_ask([], entries))


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
