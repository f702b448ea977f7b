"""The rules of a class: the section ``[class]`` of the server's secrets."""

from __future__ import annotations

from collections.abc import Mapping
from hmac import compare_digest
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, ValidationError, field_validator

from cnnlab.errors import CnnLabError, first_error
from cnnlab.people.allowed import as_names
from cnnlab.people.quotas import Quotas

SHORTEST_CODE = 6  # characters: with the limit of attempts, no guessing

Code = Annotated[str, Field(max_length=200)]


class ClassRulesError(CnnLabError):
    """A section ``[class]`` that is wrong; the message says what."""


class ClassRules(Quotas):
    """Who may come in, as what, and how much of the server each member may use."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    teachers: frozenset[str] = frozenset()  # addresses, or domains as @school.org
    allow: frozenset[str] = frozenset()  # the same, of members
    code: Code = ""  # with which members join without an account; empty: they cannot
    teacher_code: Code = ""
    visitors: bool = False  # whether a link to a shown run opens for everybody

    @field_validator("teachers", "allow", mode="before")
    @classmethod
    def _names(cls, value: object) -> object:
        entries = value.split(",") if isinstance(value, str) else value
        return as_names(map(str, entries)) if isinstance(entries, list | tuple) else entries

    @field_validator("code", "teacher_code")
    @classmethod
    def _cannot_be_guessed(cls, value: str) -> str:
        if value and len(value.strip()) < SHORTEST_CODE:
            raise ValueError(f"a code needs at least {SHORTEST_CODE} characters")
        return value.strip()

    def code_of(self, role: str) -> str:
        """Return the code that lets one in as a teacher or a member."""
        return self.teacher_code if role == "teacher" else self.code

    @property
    def has_code(self) -> bool:
        """Whether one can join without an account."""
        return bool(self.code or self.teacher_code)

    def role_of_code(self, typed: str) -> Literal["teacher", "member", "stranger"]:
        """Return as what a code lets one in, in capitals or not; the time it takes says nothing of the codes."""
        entered = _entered(typed)
        is_teachers = compare_digest(entered, _entered(self.teacher_code)) and bool(self.teacher_code)
        is_members = compare_digest(entered, _entered(self.code)) and bool(self.code)
        return "teacher" if is_teachers else "member" if is_members else "stranger"


def parse_rules(section: Mapping[str, object]) -> ClassRules:
    """Read the section ``[class]``. Raises ClassRulesError where it is wrong."""
    try:
        rules = ClassRules.model_validate(dict(section))
    except ValidationError as error:
        raise ClassRulesError(f"the section [class] of the server's secrets: {first_error(error)}") from error
    if rules.code and _entered(rules.code) == _entered(rules.teacher_code):
        raise ClassRulesError(
            "the section [class] of the server's secrets: code and teacher_code are the same, as capitals do not count"
        )
    return rules


def _entered(code: str) -> bytes:
    """Return what counts of a code."""
    return code.strip().casefold().encode()
