"""What one page puts into the session for another."""

from __future__ import annotations

from functools import lru_cache

import streamlit as st

from cnnlab.networks.architecture import Draft
from cnnlab.networks.designs import read_design
from cnnlab.networks.edit import UndoStack

SEARCH = "compare.search"  # the words in Compare's search field
SHOWN_QUERY = "learn.shown"  # the address of what Learn drew last

_DESIGN = "design.history"
_PAGE, _VISIT = "frame.at", "frame.visit"


def visit() -> int:
    """Give a number that grows whenever this session comes from one page to another."""
    return int(st.session_state[_VISIT])


def note_visit(page: str) -> None:
    """Note that this session is on ``page``."""
    if st.session_state.get(_PAGE) != page:
        st.session_state[_PAGE] = page
        st.session_state[_VISIT] = st.session_state.get(_VISIT, 0) + 1


def followed(place: str) -> str:
    """Name what ``place`` was last asked for by the address."""
    return f"{place}.followed"


def search_runs(words: str) -> None:
    """Have Compare list what ``words`` find; for callbacks."""
    st.session_state[SEARCH] = words


def design_history() -> UndoStack | None:
    """What was edited on Design, each version as JSON; None before anything was."""
    parts = st.session_state.get(_DESIGN)  # tuples, which a source edit does not turn into strangers
    return None if parts is None else UndoStack(*parts)


def keep_design_history(history: UndoStack) -> None:
    """Keep it for this session."""
    st.session_state[_DESIGN] = (history.present, history.past, history.future)


def own_design() -> Draft | None:
    """The network that this session designs; None before it began to."""
    history = design_history()
    return None if history is None else parsed(history.present)


parsed = lru_cache(maxsize=64)(read_design)  # asked several times in each run of a page
