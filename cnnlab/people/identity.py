"""Ids of people: hashes of who they are, keyed by a secret of the server, so that nobody becomes another by an id."""

from __future__ import annotations

import re
import secrets
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

from cnnlab.files import atomic_file, exclusive, read_limited

SECRET_BYTES = 32
PERSON_ID = "[0-9a-f]{32}"  # as ``keyed`` makes them: harmless as the name of a file
_PERSON = re.compile(PERSON_ID)


def is_person(name: str) -> bool:
    """Check whether ``name`` is a person's id, and so can name a file."""
    return bool(_PERSON.fullmatch(name))


def people_folder(runs: Path) -> Path:
    """Return the folder beside the runs that holds the secret and the members."""
    return runs / ".people"


@lru_cache(maxsize=16)
def server_secret(folder: Path) -> bytes:
    """Return the secret of the server with this folder; made once, readable by the server's own user alone.

    Raises OSError where it cannot be read or made.
    """
    path = folder / "secret"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with exclusive(folder):
        if not path.exists():
            with atomic_file(path) as part:
                part.touch(mode=0o600)
                part.write_bytes(secrets.token_bytes(SECRET_BYTES))
        secret = read_limited(path, SECRET_BYTES)
    if len(secret) != SECRET_BYTES:
        raise OSError(f"{path} is damaged")
    return secret


def keyed(secret: bytes, *parts: str) -> str:
    """Return the hash of ``parts`` as 32 hexadecimal digits; which parts is told apart by their lengths."""
    digest = blake2b(key=secret, digest_size=16)
    for part in parts:
        content = part.encode()
        digest.update(len(content).to_bytes(8, "big") + content)
    return digest.hexdigest()


def id_of_login(secret: bytes, issuer: str, subject: str) -> str:
    """Return the id of an account; a provider keeps its subject for good, while addresses change hands."""
    return keyed(secret, "login", issuer, subject)


def id_of_browser(secret: bytes, token: str) -> str:
    """Return the id of a browser that has the cookie ``token``."""
    return keyed(secret, "browser", token)
