"""The reader's record of guesses, kept in their browser alone: read, added to, shown and cleared."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from cnnlab.learn.guess_record import LONGEST, MOST, Habit, KeptScore, Record, read_record
from cnnlab.learn.guesses import record_in_words
from cnnlab.ui.shell.state import GUESS_HABIT, GUESSES_KEPT, GUESSES_SCORED, Key, guess_record_at
from cnnlab.ui.widgets.component_files import joined

_component = st.components.v2.component(
    "cnnlab_guess_record",
    html='<div class="guess-record" hidden><p></p><button type="button">Clear my record</button></div>',
    css=joined("guess_record.css"),
    js=joined("kept.js", "guess_record.js"),
)


def guess_record(place: str, is_shown: bool = True) -> None:
    """Have the browser say what it keeps, and keep what was scored since; show the record, with a button to clear it.

    ``place`` tells it from others on the page.
    """
    known = known_record()
    told = record_in_words([one.score for one in known.scored])
    data = {
        "known": GUESSES_KEPT.get(),
        "added": [one.model_dump() for one in GUESSES_SCORED.get() if one not in _kept().scored],
        "habit": GUESS_HABIT.get(),
        "told": f"{told} It is kept in this browser alone." if told and is_shown else "",
        "most": MOST,
        "longest": LONGEST,
    }
    key = guess_record_at(place)
    _component(data=data, key=key.name, on_kept_change=partial(_take, key), on_cleared_change=_clear)


def known_record() -> Record:
    """Return what the browser keeps, with what was scored since."""
    return _kept().with_more(GUESSES_SCORED.get())


def guess_habit() -> Habit | None:
    """Return whether the reader wants to guess; None until the browser has said what it keeps."""
    return GUESS_HABIT.get() or (None if GUESSES_KEPT.get() is None else _kept().habit)


def add_score(found: KeptScore) -> None:
    """Add a score to the record, unless that result was guessed before."""
    if found.id not in {one.id for one in known_record().scored}:
        GUESSES_SCORED.put((*GUESSES_SCORED.get(), found))


def _kept() -> Record:
    return read_record(GUESSES_KEPT.get() or "")


def _take(key: Key[Any]) -> None:
    """Store what the browser says, which is not trusted."""
    text = getattr(key.get(), "kept", None)
    GUESSES_KEPT.put(text if isinstance(text, str) and len(text) <= LONGEST else "")
    if GUESS_HABIT.get() == _kept().habit:
        GUESS_HABIT.drop()


def _clear() -> None:
    GUESSES_SCORED.drop()
    GUESSES_KEPT.put("")
