"""What the class keeps on this server, and the assignment that the session's person trains for."""

from __future__ import annotations

import streamlit as st

from cnnlab.classroom.assignment import Assignment, Assignments
from cnnlab.classroom.digits import ClassDigits
from cnnlab.classroom.hand_ins import HandIn, HandIns
from cnnlab.classroom.proofs import Proofs
from cnnlab.runs.store import runs_folder
from cnnlab.ui.shell import person
from cnnlab.ui.shell.address import ASSIGNMENT
from cnnlab.ui.shell.state import ASSIGNMENT_FILLED, ASSIGNMENT_TRAINED


def assignments() -> Assignments:
    """Return the class's assignments."""
    return Assignments(runs_folder())


def hand_ins() -> HandIns:
    """Return what was handed in."""
    return HandIns(runs_folder())


def digits() -> ClassDigits:
    """Return the digits that the class has drawn."""
    return ClassDigits(runs_folder())


def proofs() -> Proofs:
    """Return what verifications of handed-in runs found."""
    return Proofs(runs_folder())


def my_hand_ins(assignment: Assignment) -> list[HandIn]:
    """Return what the session's person has handed in for an assignment."""
    own = person.me().id
    return [one for one in hand_ins().of(assignment.id) if one.person == own]


def trained_for() -> Assignment | None:
    """Return the assignment that the session trains for: the URL's, else the one before; None without one."""
    asked = ASSIGNMENT.value()
    if not person.is_member() or not (asked or ASSIGNMENT_TRAINED.get()):
        return None
    found = assignments().get(ASSIGNMENT_TRAINED.put(asked or ASSIGNMENT_TRAINED.get()))
    if found is None:
        leave()
        st.warning("The assignment in this link does not exist here.", icon=":material/link_off:")
    elif not asked:
        ASSIGNMENT.put(found.id)
    return found


def leave() -> None:
    """Train without an assignment from now on."""
    ASSIGNMENT.drop()
    ASSIGNMENT_TRAINED.drop()
    ASSIGNMENT_FILLED.drop()
