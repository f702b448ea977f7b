"""The whole table of who may do what, cell by cell."""

from __future__ import annotations

import re

import pytest

from cnnlab.people.belonging import Belonging
from cnnlab.people.rights import ADMINISTRATOR, STRANGER, Action, Person, may
from cnnlab.people.rules import ClassRules
from tests.conftest import ROOT

ADA, BOB = "a" * 32, "b" * 32
HIDDEN, SHOWN, NOBODYS = Belonging(owner=ADA), Belonging(owner=ADA, is_shown=True), Belonging()
OPEN = Belonging(owner=ADA, is_open=True)
# Who stands how to a thing; the actions that are theirs stand beside.
EVERYTHING, NOTHING = frozenset(Action), frozenset[Action]()
WITH_SHOWN = {Action.PREDICT, Action.SEE, Action.BRANCH, Action.EXPORT}
RELATIONS = {
    "owner": (Person("member", ADA), HIDDEN, EVERYTHING),
    "owner of what is shown": (Person("member", ADA), SHOWN, EVERYTHING),
    "teacher": (Person("teacher", BOB), HIDDEN, EVERYTHING),
    "teacher, of what is nobody's": (Person("teacher", BOB), NOBODYS, EVERYTHING),
    "administrator": (ADMINISTRATOR, HIDDEN, EVERYTHING),
    "classmate": (Person("member", BOB), HIDDEN, NOTHING),
    "classmate, of what is shown": (
        Person("member", BOB),
        SHOWN,
        {Action.PREDICT, Action.SEE, Action.BRANCH, Action.EXPORT},
    ),
    "classmate, of what is open": (Person("member", BOB), OPEN, {Action.PREDICT}),
    "classmate, of what is nobody's": (Person("member", BOB), NOBODYS, NOTHING),
    "member whom nothing is known of": (Person("member"), NOBODYS, NOTHING),
    "visitor": (Person("visitor"), HIDDEN, NOTHING),
    "visitor, of what is shown": (Person("visitor"), SHOWN, {Action.PREDICT, Action.SEE}),
    "visitor, of what is open": (Person("visitor"), OPEN, {Action.PREDICT}),
    "visitor, of what is nobody's": (Person("visitor"), NOBODYS, NOTHING),
    "visitor with the owner's id": (Person("visitor", ADA), HIDDEN, NOTHING),
    "stranger": (STRANGER, HIDDEN, NOTHING),
    "stranger, of what is shown": (STRANGER, SHOWN, NOTHING),
    "stranger, of what is open": (STRANGER, OPEN, NOTHING),
    "stranger, of what is nobody's": (STRANGER, NOBODYS, NOTHING),
}


# The rows of the table in docs/class.md.
DOCUMENTED: list[set[Action]] = [
    {Action.PREDICT},
    {Action.SEE},
    {Action.BRANCH},
    {Action.EXPORT},
    {Action.SEE_DRAWINGS},
    {Action.DESCRIBE, Action.SHARE},
    {Action.STOP, Action.PAUSE, Action.CONTINUE, Action.CHANGE_RATE},
    {Action.DELETE, Action.RESTORE, Action.DELETE_FOR_GOOD},
]


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("relation", RELATIONS)
def test_each_may_do_what_the_table_says(relation: str, action: Action) -> None:
    person, thing, theirs = RELATIONS[relation]
    assert may(person, action, thing) == (action in theirs)


def test_the_document_says_what_the_rules_are() -> None:
    document = (ROOT / "docs" / "class.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)", document, re.MULTILINE)) == set(ClassRules.model_fields)
    columns = Person("member", ADA), Person("teacher", BOB), Person("member", BOB), Person("visitor")
    rows = [row for row in document.splitlines() if row.startswith("| ") and re.search(r"\| (yes|no) \|", row)]
    assert {*Action} == set[Action]().union(*DOCUMENTED)
    for row, actions in zip(rows, DOCUMENTED, strict=True):
        cells = [cell.strip().split(",")[0] for cell in row.strip("|").split("|")[1:]]
        for cell, person in zip(cells, columns, strict=True):
            for action in actions:
                assert (row, action, cell) == (row, action, _told(person, action))


def _told(person: Person, action: Action) -> str:
    if may(person, action, HIDDEN):
        return "yes"
    if not may(person, action, SHOWN):
        return "no"
    return "if shown or open" if may(person, action, OPEN) else "if shown"
