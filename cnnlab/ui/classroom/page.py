"""One assignment of the class: what it asks, and its views."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cnnlab.classroom.assignment import Assignment
from cnnlab.classroom.digits import takes_digits
from cnnlab.data.datasets import DATASETS, dataset_title
from cnnlab.ui.classroom import board, class_digits, teacher
from cnnlab.ui.shell import classroom, flash, frame, person
from cnnlab.ui.shell.address import ASSIGNMENT
from cnnlab.ui.shell.frame import literal
from cnnlab.ui.shell.state import ASSIGNMENT_SHOWN, CLASS_REMOVED
from cnnlab.ui.widgets.assignment_rules import deadline, free_settings, limits

BOARD, DIGITS = "Board", "Class digits"


def show_class(head: DeltaGenerator) -> None:
    """Show the assignment that is chosen at ``head``; where there is none, what to do next."""
    if not person.is_member():
        st.info(
            "This server has no class. Its administrator can set one up: docs/class.md says how. Then assignments and "
            "their board appear here. **Train** works without a class.",
            icon=":material/groups:",
        )
        return
    flash.tell(teacher.PLACE)
    teacher.offer_way_back()
    known = {one.id: one for one in classroom.assignments().all()}
    if not known:
        _none_yet()
        return
    assignment = known[_choose(known, head)]
    _what_it_asks(assignment)
    if person.me().is_in_charge:
        teacher.tools(assignment)
    if _view(assignment) == DIGITS:
        class_digits.show(assignment)
    else:
        board.show(assignment)


def _none_yet() -> None:
    if person.me().is_in_charge:
        there = "There is no other assignment" if CLASS_REMOVED.get() else "There is no assignment yet"
        st.info(
            f"{there}. Choose settings on Train, then press **Make an assignment** below the form.",
            icon=":material/assignment_add:",
        )
        frame.link("Train", "Choose settings on Train")
    else:
        st.info("Your teacher has given no assignment yet. You can train what you like.", icon=":material/assignment:")
        frame.link("Train", "Train a network")


def _choose(known: dict[str, Assignment], head: DeltaGenerator) -> str:
    """Show the choice of an assignment, at first the address's, else the newest."""
    asked = ASSIGNMENT.asked(known, "The assignment in this link does not exist here.")
    before = ASSIGNMENT_SHOWN.get()
    ASSIGNMENT_SHOWN.move_to(asked or (before if before in known else next(iter(known))))
    titles = frame.distinct_labels({key: one.title for key, one in known.items()})
    chosen: str = head.selectbox(
        "Assignment",
        list(titles),
        format_func=titles.__getitem__,
        key=ASSIGNMENT_SHOWN.name,
        on_change=_follow,
        persist_state="session",
    )
    ASSIGNMENT.put(chosen)
    return chosen


def _follow() -> None:
    ASSIGNMENT.put(ASSIGNMENT_SHOWN.get())


def _what_it_asks(assignment: Assignment) -> None:
    now = datetime.now(UTC)
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader(literal(assignment.title), anchor=False, width="content")
            is_over = assignment.is_over(now)
            st.badge(deadline(assignment, now), icon=":material/schedule:", color="gray" if is_over else "blue")
        st.markdown(
            f"Train {literal(assignment.config.architecture.title)} on "
            f"{literal(dataset_title(assignment.config.dataset))}. {free_settings(assignment)} {limits(assignment)}"
        )
        if not is_over:
            frame.door("Train", "Open on Train", {ASSIGNMENT.name: assignment.id})


def _view(assignment: Assignment) -> str:
    """Show the choice of views; one's own digits can be drawn where the networks read digits."""
    spec = DATASETS.get(assignment.config.dataset)
    if not spec or not takes_digits(spec):
        return BOARD
    return st.segmented_control(
        "View",
        [BOARD, DIGITS],
        default=BOARD,
        key="class.view",
        required=True,
        persist_state="session",
        label_visibility="collapsed",
    )
