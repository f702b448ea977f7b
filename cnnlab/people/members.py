"""The people of a server who have come in: a small file each, with the name they gave."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cnnlab.files import atomic_write, read_limited
from cnnlab.people.identity import is_person

MAX_BYTES = 2_000
MAX_NAME = 40  # characters


class Member(BaseModel):
    """Somebody who came in."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
    proof: Annotated[str, Field(max_length=64)] = ""  # a hash of the code they joined with; empty of those with a login


class Members:
    """The people of a server, by id, in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, member_id: str) -> Member | None:
        """Return one of them; None where there is none of that id."""
        with suppress(OSError, ValidationError):
            return Member.model_validate_json(read_limited(self._path(member_id), MAX_BYTES))
        return None

    def put(self, member_id: str, member: Member) -> None:
        """Add somebody, or change what is known of them. Raises OSError."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        atomic_write(self._path(member_id), member.model_dump_json())

    def names(self) -> dict[str, str]:
        """Return the name of each."""
        return dict(self._named())

    def _named(self) -> Iterator[tuple[str, str]]:
        for path in self._folder.glob("*.json"):
            if is_person(path.stem) and (member := self.get(path.stem)):
                yield path.stem, member.name

    def _path(self, member_id: str) -> Path:
        return self._folder / f"{member_id}.json"
