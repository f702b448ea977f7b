"""Where a class's files lie: a folder beside the runs, with a folder for each kind."""

from __future__ import annotations

import re
from pathlib import Path

PERSON_ID = "[0-9a-f]{32}"  # as cnnlab/people/identity.py makes them
ASSIGNMENT_ID = "[0-9a-f]{16}"
_PERSON, _ASSIGNMENT = re.compile(PERSON_ID), re.compile(ASSIGNMENT_ID)


def class_folder(runs: Path) -> Path:
    """Return the folder of a class, beside its runs."""
    return runs / ".class"


def is_person(name: str) -> bool:
    """Check whether ``name`` is a person's id, and so can name a file."""
    return bool(_PERSON.fullmatch(name))


def is_assignment(name: str) -> bool:
    """Check whether ``name`` is an assignment's id."""
    return bool(_ASSIGNMENT.fullmatch(name))
