"""What teachers do with an assignment: hand out its link, change it, verify what was handed in, remove it."""

from __future__ import annotations

import streamlit as st

from cnnlab.classroom.assignment import Assignment
from cnnlab.classroom.proofs import Verifying
from cnnlab.jobs.worker import Worker
from cnnlab.ui.classroom.board import rows_of
from cnnlab.ui.shell import classroom, session
from cnnlab.ui.shell.address import ASSIGNMENT, server_url
from cnnlab.ui.shell.flash import say
from cnnlab.ui.shell.frame import counted
from cnnlab.ui.shell.state import CLASS_REMOVED, CLASS_VERIFYING
from cnnlab.ui.widgets.assignment_form import change_assignment
from cnnlab.ui.widgets.awaited import awaited
from cnnlab.ui.widgets.undo import offer_undo

PLACE = "class"  # where the result of the last action is shown


def tools(assignment: Assignment) -> None:
    """Show a row of actions."""
    with st.container(horizontal=True):
        with st.popover("Link for pupils", icon=":material/link:"):
            st.caption("Opens Train with these settings, for everybody who has joined the class.")
            st.code(_link(assignment), language=None, wrap_lines=True)
        with st.popover("Change", icon=":material/edit:"):
            change_assignment(assignment)
        waiting = [row.best.run for row in rows_of(assignment) if not classroom.proofs().get(row.best.run)]
        st.button(
            "Verify runs",
            icon=":material/verified:",
            disabled=not waiting,
            on_click=_verify,
            args=[tuple(waiting)],
            key="class.verify",
            help="Trains each person's chosen run again and compares every number. It takes as long as the trainings.",
        )
        st.button("Remove", icon=":material/delete:", on_click=_remove, args=[assignment], key="class.remove")
    if runs := CLASS_VERIFYING.get():
        what = f"Verifying {counted(len(runs), 'run')}"
        if awaited(what, _verified, runs, assignment.config.dataset, session.owner()):
            CLASS_VERIFYING.drop()
            st.rerun()


def offer_way_back() -> None:
    """Show the way back where an assignment has just been removed."""
    if removed := CLASS_REMOVED.get():
        told = "The assignment is removed. What was handed in for it is kept."
        offer_undo(told, "class.undo", _undo, removed)


def _link(assignment: Assignment) -> str:
    return f"{server_url('Class')}/Train?{ASSIGNMENT.name}={assignment.id}"


@st.cache_resource(max_entries=16, show_spinner=False, on_release=Worker.cancel)
def _verified(runs: tuple[str, ...], dataset: str, _owner: str) -> Worker[Verifying]:
    """Begin to verify; it waits for its turn in the queue of trainings."""
    return Worker(classroom.proofs().verify(runs), trains=True, dataset=dataset, owner=_owner)


def _verify(runs: tuple[str, ...]) -> None:
    CLASS_VERIFYING.put(runs)


def _remove(assignment: Assignment) -> None:
    try:
        classroom.assignments().remove(assignment.id)
        CLASS_REMOVED.put(assignment.id)
    except OSError as error:
        say(PLACE, str(error), "error")


def _undo(assignment_id: str) -> None:
    CLASS_REMOVED.drop()
    try:
        classroom.assignments().restore(assignment_id)
    except OSError as error:
        say(PLACE, str(error), "error")
