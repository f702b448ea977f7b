"""Where a class's files lie: a folder beside the runs, with a folder for each kind."""

from __future__ import annotations

import re
from pathlib import Path

ASSIGNMENT_ID = "[0-9a-f]{16}"
_ASSIGNMENT = re.compile(ASSIGNMENT_ID)


def class_folder(runs: Path) -> Path:
    """Return the folder of a class, beside its runs."""
    return runs / ".class"


def is_assignment(name: str) -> bool:
    """Check whether ``name`` is an assignment's id."""
    return bool(_ASSIGNMENT.fullmatch(name))
