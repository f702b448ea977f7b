"""The form with which a teacher makes an assignment of some settings, or changes one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import streamlit as st

from cnnlab.classroom.assignment import A_DAY, CHOICES, MAX_TITLE, USUALLY_FREE, Assignment, AssignmentError
from cnnlab.text import sentence
from cnnlab.training.config import RunConfig, field_title
from cnnlab.ui.shell import classroom
from cnnlab.ui.shell.address import ASSIGNMENT
from cnnlab.ui.shell.flash import say, tell
from cnnlab.ui.shell.frame import door
from cnnlab.ui.shell.state import assignment_field

NEW = "new"  # in place of an assignment's id
_NUMBERS = {
    "most_epochs": "Epochs, at most",
    "most_parameters": "Parameters, at most",
    "hand_ins_a_day": "Hand-ins a day",
}
_PLACE = "assignment"


def make_assignment(config: RunConfig) -> None:
    """Offer to make an assignment of ``config``."""
    with st.popover("Make an assignment", icon=":material/assignment_add:", type="tertiary"):
        if config.comes_from or config.lessons:
            st.caption("A branch cannot be an assignment: start a new run first.")
            return
        tell(_PLACE, title="This assignment cannot be saved")
        st.caption("Pupils get these settings by a link. They can change those that you list here.")
        _form(NEW, None, config)
        if made := assignment_field(NEW, "made").get():
            door("Class", "Open it on Class", {ASSIGNMENT.name: made})


def change_assignment(assignment: Assignment) -> None:
    """Show the form to change an assignment; what was handed in stays as it is."""
    tell(_PLACE, title="This assignment cannot be saved")
    _form(assignment.id, assignment, assignment.config)


def _form(form: str, known: Assignment | None, config: RunConfig) -> None:
    with st.form(f"assignment.{form}", border=False):
        st.text_input("Title", known.title if known else "", max_chars=MAX_TITLE, key=_key(form, "title"))
        st.multiselect(
            "Pupils may change",
            CHOICES,
            known.free if known else USUALLY_FREE,
            format_func=field_title,
            key=_key(form, "free"),
            help="All other settings are fixed, but those of the machine. The data set is always fixed.",
        )
        _limits(form, known)
        st.checkbox(
            "Halve the test images",
            known.has_halves if known else False,
            key=_key(form, "has_halves"),
            help="Until the deadline the board shows results on one half, afterwards those on the other.",
        )
        st.checkbox(
            "Runs may start from other runs and be taught drawings",
            known.may_continue if known else False,
            key=_key(form, "may_continue"),
        )
        label = "Save" if known else "Make"
        st.form_submit_button(label, type="primary", on_click=_save, args=[form, known, config])


def _limits(form: str, known: Assignment | None) -> None:
    epochs, parameters = (known.most_epochs, known.most_parameters) if known else (None, None)
    until = known.deadline.astimezone().replace(tzinfo=None) if known and known.deadline else None
    left, right = st.columns(2)
    with left:
        _number(form, "most_epochs", epochs, "Empty: no limit")
        _number(form, "hand_ins_a_day", known.hand_ins_a_day if known else A_DAY, "Of each pupil")
    with right:
        _number(form, "most_parameters", parameters, "Empty: no limit")
        st.datetime_input("Deadline", until, key=_key(form, "deadline"), help="In the server's time zone. Empty: none")


def _number(form: str, field: str, value: int | None, hint: str) -> None:
    st.number_input(_NUMBERS[field], value=value, step=1, key=_key(form, field), help=hint)


def _save(form: str, known: Assignment | None, config: RunConfig) -> None:
    typed = {name: assignment_field(form, name).get() for name in ("title", "free", *_NUMBERS)}
    typed |= {name: bool(assignment_field(form, name).get()) for name in ("has_halves", "may_continue")}
    deadline: datetime | None = assignment_field(form, "deadline").get()
    fields: dict[str, Any] = typed | {"deadline": deadline.astimezone() if deadline else None}
    try:
        if not str(typed["title"] or "").strip():
            raise AssignmentError("give it a title")
        if known:
            classroom.assignments().change(known, **fields)
            say(_PLACE, "Saved.", "success")
        else:
            made = classroom.assignments().make(config=config, **fields)
            assignment_field(form, "made").put(made.id)
            say(_PLACE, f"Made: {made.title}. Its link is on Class.", "success")
    except (AssignmentError, OSError) as error:
        say(_PLACE, _told(str(error)), "error")


def _told(reason: str) -> str:
    """Write a reason as a sentence, with the form's name of the field that it is about."""
    field, colon, rest = reason.partition(":")
    return sentence(f"{_NUMBERS.get(field, field)}{colon}{rest}")


def _key(form: str, field: str) -> str:
    return assignment_field(form, field).name
