"""The assignment that the form is locked to: what it asks, and the way out."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from cnnlab.classroom.assignment import Assignment
from cnnlab.ui.shell import classroom
from cnnlab.ui.shell.address import ASSIGNMENT
from cnnlab.ui.shell.frame import door, literal
from cnnlab.ui.shell.own_pictures import may_train_on
from cnnlab.ui.widgets.assignment_rules import deadline, free_settings, limits


def show_rules(assignment: Assignment) -> None:
    """Show what the assignment asks."""
    with st.container(border=True, gap="xsmall"):
        st.markdown(f":material/assignment: **{literal(assignment.title)}**")
        st.caption(f"{deadline(assignment, datetime.now(UTC))}. {limits(assignment)}")
        st.caption(free_settings(assignment))
        if not may_train_on(assignment.config.dataset):
            st.error("The class does not see this assignment's data set yet. Ask your teacher to show it on Data.")
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            door("Class", "Board", {ASSIGNMENT.name: assignment.id})
            st.button(
                "Train freely",
                icon=":material/lock_open:",
                type="tertiary",
                on_click=classroom.leave,
                key="assignment.leave",
                help="Unlocks all settings. Such a run can only be handed in if it keeps the assignment's rules.",
            )
