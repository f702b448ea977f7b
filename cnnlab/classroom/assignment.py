"""Assignments: a set-up for a class, some of its settings fixed, others free, with limits and a deadline."""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from cnnlab.classroom.folder import ASSIGNMENT_ID, class_folder, is_assignment
from cnnlab.errors import CnnLabError, first_error
from cnnlab.files import atomic_write, read_limited
from cnnlab.text import one_line
from cnnlab.training.config import COUNTS_WITH, MAX_EPOCHS, RunConfig, field_title
from cnnlab.training.titles import setting_title

MAX_TITLE = 80  # characters
MAX_BYTES = 1_000_000  # of a file: a network of many layers takes 100 kB
A_DAY, MOST_A_DAY = 5, 100  # hand-ins of one person

# What the machine decides, and what says where weights come from: other rules than "free" or "fixed" hold for these.
_MACHINE = {"device", "precision", "micro_batch", "threads"}
_ORIGIN = {"parent", "filters_kept", "operations", "lessons", "lesson_share"}
_DATA = {"dataset"}  # always fixed: networks are compared on the same test images
CHOICES = tuple(name for name in RunConfig.model_fields if name not in _MACHINE | _ORIGIN | _DATA)
USUALLY_FREE = ("architecture", "epochs", "batch_size", "optimizer", "learning_rate", "schedule", "augmentation")


class AssignmentError(CnnLabError):
    """An assignment that is wrong or missing; the message says what is."""


@dataclass(frozen=True)
class Facts:
    """What rules ask of a training, before it starts or after it ended."""

    config: RunConfig
    parameters: int
    epochs: int  # of the whole training, those before a branch included
    is_extended: bool = False  # by epochs beyond its config's
    rates_set: int = 0  # changes of the learning rate by hand
    is_traced: bool = True  # all runs that it comes from are here


class Assignment(BaseModel):
    """What a class is asked to train."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: Annotated[str, Field(pattern=f"^{ASSIGNMENT_ID}$")]
    made: AwareDatetime
    title: Annotated[str, Field(min_length=1, max_length=MAX_TITLE)]
    config: RunConfig
    free: tuple[str, ...] = USUALLY_FREE  # settings that may be changed
    may_continue: bool = False  # whether a run may start from another's weights, or be taught drawings
    most_epochs: Annotated[int, Field(ge=1, le=MAX_EPOCHS)] | None = None
    most_parameters: Annotated[int, Field(ge=1, le=10**9)] | None = None
    deadline: AwareDatetime | None = None
    hand_ins_a_day: Annotated[int, Field(ge=1, le=MOST_A_DAY)] = A_DAY
    has_halves: bool = False  # whether the board shows one half of the test images, and the other after the deadline
    is_removed: bool = False

    @field_validator("title", mode="before")
    @classmethod
    def _in_one_line(cls, value: object) -> object:
        return one_line(value).strip() if isinstance(value, str) else value

    @field_validator("free")
    @classmethod
    def _are_choices(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [name for name in value if name not in CHOICES]:
            raise ValueError(f"{unknown[0]!r} is no setting that can be free")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Assignment:
        if self.has_halves and not self.deadline:
            raise ValueError("the second half is shown after a deadline: set one")
        if self.config.comes_from or self.config.lessons:
            raise ValueError("an assignment starts from no other run: start a new run first")
        return self

    @property
    def fixed(self) -> tuple[str, ...]:
        """The settings that nobody may change."""
        return (*_DATA, *(name for name in CHOICES if name not in self.free))

    def is_over(self, now: datetime) -> bool:
        """Check whether the deadline has passed."""
        return self.deadline is not None and now > self.deadline

    def objections(self, facts: Facts) -> list[str]:
        """Say in a sentence each why a training is not what the assignment asks; nothing where it is."""
        config = facts.config
        found = [self._objection(name, config) for name in self._changed(config)]
        if not self.may_continue and config.comes_from:
            found.append("It must start from new weights, not from another run.")
        elif not self.may_continue and config.lessons:
            found.append("It must not be taught drawings.")
        if self.may_continue and not facts.is_traced:
            found.append("A run that it comes from is gone, and its epochs and drawings count: restore it on Compare.")
        if facts.rates_set and "learning_rate" in self.fixed:
            found.append("The learning rate is fixed, but was changed by hand during the training.")
        if facts.is_extended and "epochs" in self.fixed:
            found.append("The epochs are fixed, but it was trained for more of them afterwards.")
        if self.most_epochs and facts.epochs > self.most_epochs:
            found.append(f"At most {self.most_epochs:,} epochs are allowed, these are {facts.epochs:,}.")
        if self.most_parameters and facts.parameters > self.most_parameters:
            found.append(
                f"At most {self.most_parameters:,} parameters are allowed, the network has {facts.parameters:,}."
            )
        return found

    def _changed(self, config: RunConfig) -> list[str]:
        return [name for name in self.fixed if _counts(name, config) and _is_other(name, config, self.config)]

    def _objection(self, name: str, config: RunConfig) -> str:
        return f"{field_title(name)}: {_shown(name, config)} instead of {_shown(name, self.config)}."


def _shown(name: str, config: RunConfig) -> str:
    """Return the value of a setting as users read it."""
    if name == "architecture":
        return config.architecture.title
    value: Any = config.scalars()[name]
    return setting_title(name, value)


def _counts(name: str, config: RunConfig) -> bool:
    """Tell whether a setting has an effect; a branch has its parent's split, which its config names another way."""
    if name == "split_seed" and config.comes_from:
        return False
    decisive, values = COUNTS_WITH.get(name, ("", ()))
    return not decisive or getattr(config, decisive) in values


def _is_other(name: str, config: RunConfig, asked: RunConfig) -> bool:
    if name == "architecture":
        return config.architecture.layers != asked.architecture.layers
    return bool(getattr(config, name) != getattr(asked, name))


class Assignments:
    """The assignments of a class, a file each."""

    def __init__(self, runs: Path) -> None:
        self._folder = class_folder(runs) / "assignments"

    def all(self) -> list[Assignment]:
        """Return those that are not removed, the newest first."""
        found = [self._read(path.stem) for path in self._folder.glob("*.json")]
        return sorted((one for one in found if one and not one.is_removed), key=lambda one: one.made, reverse=True)

    def get(self, assignment_id: str) -> Assignment | None:
        """Return one of them; None where there is none of that id."""
        found = self._read(assignment_id)
        return None if found is None or found.is_removed else found

    def make(self, **fields: Any) -> Assignment:
        """Add an assignment with these fields. Raises AssignmentError where one is wrong, OSError."""
        return self._put({"id": secrets.token_hex(8), "made": datetime.now(UTC), **fields})

    def change(self, assignment: Assignment, **fields: Any) -> Assignment:
        """Replace some of its fields. Raises as ``make``, and AssignmentError where it was removed meanwhile."""
        now = self.get(assignment.id)
        if now is None:
            raise AssignmentError("it was removed meanwhile")
        return self._put(dict(now) | fields)

    def remove(self, assignment_id: str) -> None:
        """Hide an assignment; what was handed in for it stays. Raises OSError."""
        self._set_removed(assignment_id, True)

    def restore(self, assignment_id: str) -> None:
        """Bring back an assignment that was removed. Raises OSError."""
        self._set_removed(assignment_id, False)

    def _set_removed(self, assignment_id: str, is_removed: bool) -> None:
        if found := self._read(assignment_id):
            self._put(dict(found) | {"is_removed": is_removed})

    def _put(self, fields: dict[str, Any]) -> Assignment:
        try:
            assignment = Assignment.model_validate(fields)
        except ValidationError as error:
            raise AssignmentError(first_error(error)) from error
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        atomic_write(self._path(assignment.id), assignment.model_dump_json())
        return assignment

    def _read(self, assignment_id: str) -> Assignment | None:
        if not is_assignment(assignment_id):
            return None
        with suppress(OSError, ValidationError):
            return Assignment.model_validate_json(read_limited(self._path(assignment_id), MAX_BYTES))
        return None

    def _path(self, assignment_id: str) -> Path:
        return self._folder / f"{assignment_id}.json"
