"""Whose a folder of a run, a sweep or a data set is, and who else may see it: its file ``belongs.json``.

Without that file, or where it is damaged, the folder is nobody's: everybody's on one's own machine, the teachers' in a
class. Archives do not have it, so nobody can import a run as somebody else's.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cnnlab.files import atomic_write, read_parsed
from cnnlab.people.identity import PERSON_ID

FILE = "belongs.json"
MAX_BYTES = 1_000
OwnerId = Annotated[str, Field(pattern=f"^({PERSON_ID})?$")]


class Belonging(BaseModel):
    """Whose something is, and what others may do with it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    owner: OwnerId = ""
    is_shown: bool = False  # to the class
    is_open: bool = False  # to visitors, who may ask it for predictions


NOBODYS = Belonging()


def belonging_of(folder: Path) -> Belonging:
    """Read whose ``folder`` is."""
    with suppress(OSError, ValidationError):
        return read_parsed(folder / FILE, MAX_BYTES, _parse)
    return NOBODYS


def give(folder: Path, owner: str) -> None:
    """Make ``folder`` the ``owner``'s and private; nobody's where that is empty. Raises OSError."""
    if owner:
        atomic_write(folder / FILE, Belonging(owner=owner).model_dump_json())


def show(folder: Path, is_shown: bool) -> None:
    """Show ``folder`` to the class, or hide it again. Raises OSError."""
    _change(folder, is_shown=is_shown)


def open_up(folder: Path, is_open: bool) -> None:
    """Open ``folder`` to visitors, or close it again. Raises OSError."""
    _change(folder, is_open=is_open)


def _parse(content: bytes) -> Belonging:
    return Belonging.model_validate_json(content)


def _change(folder: Path, **fields: bool) -> None:
    changed = belonging_of(folder).model_copy(update=fields)
    atomic_write(folder / FILE, changed.model_dump_json())
