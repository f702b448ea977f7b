"""Handing in the run on the page: for which assignment, why not, and what it does."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from cnnlab.classroom.assignment import Assignment
from cnnlab.classroom.eligibility import refusals
from cnnlab.classroom.freezing import hand_in
from cnnlab.classroom.hand_ins import count_today, is_known
from cnnlab.errors import CnnLabError
from cnnlab.people.rights import owns
from cnnlab.runs.run import Run
from cnnlab.ui.shell import classroom, person
from cnnlab.ui.shell.address import ASSIGNMENT
from cnnlab.ui.shell.flash import say, tell
from cnnlab.ui.shell.frame import counted, distinct_labels, door, errors_shown, literal
from cnnlab.ui.shell.looks import looks_at

_PLACE = "hand-in"


@errors_shown()
def handing_in(run: Run) -> None:
    """Show a box to hand ``run`` in, to its owner in a class with an assignment for its data set."""
    if not (person.is_member() and owns(person.me(), run)):
        return
    offered = _offered(run)
    if not offered:
        return
    with st.container(border=True):
        tell(_PLACE, title="The run was not handed in")
        assignment = _choose(offered)
        own = classroom.my_hand_ins(assignment)
        if is_known(own, run.id, run.summary.epoch):
            st.markdown(f":material/check: This run is handed in for **{literal(assignment.title)}**.")
            door("Class", "See the board", {ASSIGNMENT.name: assignment.id})
            return
        refused = refusals(run, assignment, own, datetime.now(UTC))
        _tell_rules(assignment, refused, assignment.hand_ins_a_day - count_today(own, datetime.now(UTC)))
        if st.button("Hand in", icon=":material/assignment_turned_in:", key="hand-in", disabled=bool(refused)):
            _hand_in(run, assignment)


def _offered(run: Run) -> dict[str, Assignment]:
    """Return the assignment that the session trains for, else all open ones for the run's data set."""
    now, chosen, dataset = datetime.now(UTC), classroom.trained_for(), run.config.dataset
    known = [chosen] if chosen else [one for one in classroom.assignments().all() if not one.is_over(now)]
    return {one.id: one for one in known if one.config.dataset == dataset}


def _choose(offered: dict[str, Assignment]) -> Assignment:
    if len(offered) == 1:
        return next(iter(offered.values()))
    titles = distinct_labels({key: one.title for key, one in offered.items()})
    return offered[st.selectbox("Assignment", list(titles), format_func=titles.__getitem__, key="hand-in.assignment")]


def _tell_rules(assignment: Assignment, refused: list[str], left: int) -> None:
    if refused:
        st.markdown(f":material/block: This run cannot be handed in for **{literal(assignment.title)}**:")
        for reason in refused:
            st.markdown(f":small[{literal(reason)}]")
        return
    st.markdown(f":material/assignment: Hand this run in for **{literal(assignment.title)}**.")
    st.caption(
        "A copy is frozen: you cannot change or delete it. Your class then sees your name and its result on the board. "
        f"Today you have {counted(left, 'hand-in')} left."
    )


def _hand_in(run: Run, assignment: Assignment) -> None:
    try:
        with st.spinner("Testing and freezing a copy"):
            looks = looks_at(run.config.dataset)
            hand_in(run, assignment, person.me(), classroom.hand_ins(), datetime.now(UTC), looks)
    except (CnnLabError, OSError) as error:
        say(_PLACE, str(error), "error")
    else:
        say(_PLACE, "Handed in.", "success")
    st.rerun()
