"""Pictures recorded with the camera, class by class, and what the nearest of them already say of what it shows."""

from __future__ import annotations

import streamlit as st

from cnnlab.analysis.cross_validation import FEWEST
from cnnlab.analysis.first_look import Eye, FirstLook, Vote, is_enough
from cnnlab.data.pictures.collecting import Collection
from cnnlab.errors import CnnLabError
from cnnlab.ui.data.found import OWN_NAMES, Found, clash
from cnnlab.ui.shell import frame
from cnnlab.ui.shell.state import DATA_RECORDED, RECORDER_LOOK, RECORDER_SEEN
from cnnlab.ui.widgets.live_answers import Bar, LiveAnswer
from cnnlab.ui.widgets.recorder import RECORDER_PART, recorder

ADVICE = (
    "Name a class, point the camera at it and hold its button. Record at least three bursts per class, each in front "
    "of another background. One burst is kept for testing, so that the thing counts and not the room. A class “none” "
    "shows the empty room and other things. With it, a network can say that it sees none of your classes."
)
TOO_FEW = f"Once two classes have {FEWEST} pictures each, this shows what the camera sees. No training needed."


def webcam() -> Found:
    """Show the camera and what it recorded; return the pictures, and what they lack."""
    st.caption(ADVICE)
    collection = DATA_RECORDED.fill(Collection())
    error = clash(collection.names)
    _camera(collection, error)
    missing = [OWN_NAMES] if error else []
    if not collection.is_ready:
        missing.append("pictures of two classes")
    return Found(collection.source("the camera"), tuple(missing))


@st.fragment(key=RECORDER_PART)  # each picture to be named reruns this, not the whole page
@frame.errors_shown()
def _camera(collection: Collection, error: str) -> None:
    answers, hint = _first_look(collection)
    recorder(collection, error, answers, hint)


def _first_look(collection: Collection) -> tuple[list[LiveAnswer] | None, str]:
    """Name what the camera shows by the pictures so far; None and the reason where they cannot."""
    collected, seen = collection.by_class, RECORDER_SEEN.get()
    if not is_enough(collected):
        return None, TOO_FEW
    if not seen:
        return [], ""
    try:
        vote = _look().vote(seen, collected)
    except CnnLabError as error:
        return None, f"The camera picture cannot be named: {error}."
    return [_answer(vote)], "Based on the nearest pictures so far. Training gives better answers."


def _look() -> FirstLook:
    """Return the session's first look, which shares its network with all others."""
    look = RECORDER_LOOK.get() or FirstLook(_eye())
    RECORDER_LOOK.put(look)
    return look


@st.cache_resource(show_spinner=False)
def _eye() -> Eye:
    return Eye()


def _answer(vote: Vote) -> LiveAnswer:
    agree = f"{vote.of_each[vote.said]} of the {vote.voters} nearest pictures agree"
    return LiveAnswer(
        title="",
        said=vote.said if vote.is_sure else "Not sure",
        sure=agree,
        doubt="" if vote.is_sure else agree,
        bars=[Bar(name, count / vote.voters) for name, count in vote.of_each.items()],
    )
