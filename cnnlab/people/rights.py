"""Who may do what: one table for pages, links, exports and downloads.

Administrators are all who use an app on their own machine, or its command line: they may do everything. On a server
with rules for a class there are teachers, who may do everything too, members, visitors and strangers.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol

Role = Literal["administrator", "teacher", "member", "visitor", "stranger"]


class Action(StrEnum):
    """What can be done with a run, a sweep, a design or a data set."""

    PREDICT = "ask for predictions of"
    SEE = "see"
    BRANCH = "train a branch of"  # also to start from its weights
    EXPORT = "export"
    SEE_DRAWINGS = "see the drawings of"  # the labelled ones that a run was fine-tuned on
    DESCRIBE = "rename and tag"
    SHARE = "show to the class or open to visitors, and back"
    DELETE = "delete"
    RESTORE = "restore"
    DELETE_FOR_GOOD = "delete for good"
    STOP = "stop"
    PAUSE = "pause"
    CHANGE_RATE = "change the learning rate of"
    CONTINUE = "continue"


_WITH_SHOWN = {  # what else one may do with what somebody shows
    "member": frozenset({Action.PREDICT, Action.SEE, Action.BRANCH, Action.EXPORT}),
    "visitor": frozenset({Action.PREDICT, Action.SEE}),
}
_WITH_OPEN = {  # and with what somebody opens to visitors
    "member": frozenset({Action.PREDICT}),
    "visitor": frozenset({Action.PREDICT}),
}


class Thing(Protocol):
    """What belongs to somebody."""

    @property
    def owner(self) -> str:
        """The id of its owner; empty where it is nobody's."""

    @property
    def is_shown(self) -> bool:
        """Whether the class may see it."""

    @property
    def is_open(self) -> bool:
        """Whether visitors may ask it for predictions."""


@dataclass(frozen=True)
class Person:
    """Somebody who uses the app."""

    role: Role
    id: str = ""  # empty: not known, so nothing belongs to them
    name: str = ""

    @property
    def is_in_charge(self) -> bool:
        """Whether everything is theirs to see and to change."""
        return self.role in ("administrator", "teacher")


ADMINISTRATOR, STRANGER = Person("administrator"), Person("stranger")


def may(person: Person, action: Action, thing: Thing) -> bool:
    """Check whether ``person`` may do that with ``thing``."""
    if person.is_in_charge or owns(person, thing):
        return True
    if thing.is_shown and action in _WITH_SHOWN.get(person.role, ()):
        return True
    return action in _WITH_OPEN.get(person.role, ()) and thing.is_open


def owns(person: Person, thing: Thing) -> bool:
    """Check whether ``thing`` is a member's own."""
    return person.role == "member" and bool(person.id) and thing.owner == person.id
