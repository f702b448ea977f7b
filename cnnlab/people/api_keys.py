"""Keys with which people's programs ask networks: one for each person, of which only a hash stays on the server."""

from __future__ import annotations

import re
import secrets
from contextlib import suppress
from hmac import compare_digest
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cnnlab.files import atomic_write, read_limited
from cnnlab.people.belonging import OwnerId
from cnnlab.people.identity import PERSON_ID, keyed
from cnnlab.people.rights import Role

MAX_BYTES = 1_000
NOBODY = "0" * 32  # who has no id: administrators, of whom all have one key
_TOKEN_BYTES = 32
_KEY = re.compile(rf"cnnlab_({PERSON_ID})_([A-Za-z0-9_-]{{43}})")


class Holder(BaseModel):
    """Whose a key is: as what they had come in when it was made."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: OwnerId = ""
    role: Role
    proof: Annotated[str, Field(max_length=64)] = ""  # a hash of the code they had joined with, if they had


class _Kept(Holder):
    hash: Annotated[str, Field(min_length=32, max_length=32)]


class ApiKeys:
    """The keys of a server's people, in a folder; hashes are keyed by the server's ``secret``."""

    def __init__(self, folder: Path, secret: bytes) -> None:
        self._folder = folder
        self._secret = secret

    def make(self, holder: Holder) -> str:
        """Make a key in place of an earlier one of the same person, and return it. Raises OSError."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        kept = _Kept(**holder.model_dump(), hash=self._hash(token))
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        atomic_write(self._path(holder.id), kept.model_dump_json())
        return f"cnnlab_{holder.id or NOBODY}_{token}"

    def revoke(self, person: str) -> None:
        """Revoke the key of a person, if there is one. Raises OSError."""
        self._path(person).unlink(missing_ok=True)

    def has(self, person: str) -> bool:
        """Check whether a person has a key."""
        return self._kept(person) is not None

    def holder(self, key: str) -> Holder | None:
        """Return whose a key is; None where it is none, or was revoked."""
        match = _KEY.fullmatch(key)
        kept = self._kept(match[1]) if match else None
        return kept if match and kept and compare_digest(kept.hash, self._hash(match[2])) else None

    def _kept(self, person: str) -> _Kept | None:
        with suppress(OSError, ValidationError):
            return _Kept.model_validate_json(read_limited(self._path(person), MAX_BYTES))
        return None

    def _hash(self, token: str) -> str:
        return keyed(self._secret, "api key", token)

    def _path(self, person: str) -> Path:
        return self._folder / f"{person or NOBODY}.json"
